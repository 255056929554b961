#include "visit/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "visit/examples.hpp"

namespace meridian::visit {
namespace {

using std::chrono::microseconds;
using testing::HasSubstr;
using testing::Not;
using wire::dns::Name;
using wire::dns::RecordType;

const Name kPhotos = Name::Parse("photos.example").value();
const DnsServer kServer{"us-east", At("127.1.0.1:5300")};

DnsTry AddressTry() {
  return {.question = {.name = kPhotos, .type = RecordType::kA},
          .server = kServer,
          .took = microseconds{400},
          .answer = DnsAnswer{
              .addresses = {IpAddress::V4(127, 1, 0, 1)}, .ttl_seconds = 5, .subnet_scope = 24}};
}

DnsTry HttpsTry() {
  DnsTry attempt = AddressTry();
  attempt.question.type = RecordType::kHttps;
  attempt.took = microseconds{12345};
  attempt.answer = DnsAnswer{.services = {{.priority = 1,
                                           .target = *kPhotos.Child("us-east"),
                                           .port = 8443,
                                           .ipv4_hints = {IpAddress::V4(127, 1, 0, 1)}},
                                          {.priority = 2,
                                           .target = *kPhotos.Child("us-west"),
                                           .port = 8443,
                                           .ipv4_hints = {IpAddress::V4(127, 2, 0, 1)}}},
                             .ttl_seconds = 5};
  return attempt;
}

DnsTry TryOfType(RecordType type, Result<DnsAnswer> answer) {
  return {
      .question = {.name = kPhotos, .type = type}, .server = kServer, .answer = std::move(answer)};
}

Visit GoodVisit() {
  Visit visit = ServedVisit("us-east");
  visit.dns = {AddressTry(), HttpsTry()};
  visit.attempts.front().body_bytes = 3100;
  return visit;
}

std::string Text(const Visit& visit, const std::string& url = "http://photos.example/",
                 const std::string& from = "", bool color = false) {
  Target target = ParseTarget(url, PhotosSite()).value();
  return RenderVisit(visit, target, {.url = url, .from = from, .color = color});
}

TEST(VisitText, EachStepIsALineInColumns) {
  EXPECT_EQ(Text(GoodVisit(), "http://photos.example/", "new-york (198.51.100.0/24)"),
            R"(visit http://photos.example/ from new-york (198.51.100.0/24)
  dns      photos.example A      us-east 127.1.0.1:5300   0.4 ms  127.1.0.1, ttl 5 s, subnet scope /24
  dns      photos.example HTTPS  us-east 127.1.0.1:5300  12.3 ms  1 us-east 127.1.0.1:8443, 2 us-west 127.2.0.1:8443, ttl 5 s
  connect  127.1.0.1:8080        us-east                  1.0 ms
  request  GET /                                          2.0 ms  200 OK, 3.1 KB
  path     edge us-east > data center us-east > instance us-east-1
  total    3.0 ms
)");
}

TEST(VisitText, AnAddressThatDidNotAnswerIsFollowedByTheNext) {
  Attempt silent = Broken(Errc::kTimeout);
  silent.request = std::chrono::seconds{5};
  EXPECT_EQ(Text(VisitOf({Broken(Errc::kRefused), silent, Answered("us-west")})),
            R"(visit http://photos.example/
  connect  127.1.0.1:8080  us-east     1.0 ms  refused
  connect  127.1.0.1:8080  us-east     1.0 ms
  request  GET /                    5000.0 ms  timed out
  connect  127.1.0.1:8080  us-west     1.0 ms
  request  GET /                       2.0 ms  200 OK, 0 bytes
  path     edge us-west > data center us-west > instance us-west-1
  total    3.0 ms
)");
}

TEST(VisitText, TlsIsAStep) {
  Visit visit = ServedVisit("us-east");
  visit.attempts.front().secure = milliseconds{4};
  EXPECT_THAT(Text(visit, "https://photos.example/"),
              HasSubstr("  tls      photos.example           4.0 ms  certificate"));
}

TEST(VisitText, AHandshakeThatFailsSaysWhy) {
  Attempt attempt = Broken(Errc::kInvalid);
  attempt.secure = milliseconds{4};
  attempt.error = Error{Errc::kInvalid, "certificate verify failed"};
  std::string text = Text(VisitOf({attempt}), "https://photos.example/");
  EXPECT_THAT(text, HasSubstr("4.0 ms  certificate verify failed\n"));
  EXPECT_THAT(text, Not(HasSubstr("CA")));
}

TEST(VisitText, AResponseThatWasCutOffShowsBoth) {
  Attempt attempt = Answered("us-east");
  attempt.body_bytes = 1;
  attempt.error = Error{Errc::kReset, ""};
  EXPECT_THAT(Text(VisitOf({attempt})), HasSubstr("200 OK, 1 byte, then reset\n"));
}

TEST(VisitText, ARedirectionSaysWhereTo) {
  Attempt attempt = Answered("us-east", 302);
  attempt.location = "/login";
  EXPECT_THAT(Text(VisitOf({attempt})), HasSubstr("302 Found, 0 bytes, to /login\n"));
}

TEST(VisitText, ServersThatDoNotAnswerAndWhyNot) {
  Visit visit = VisitWithoutAddress(Errc::kTimeout);
  visit.dns = {TryOfType(RecordType::kA, Fail(Errc::kTimeout, "wait timed out")),
               TryOfType(RecordType::kA, Fail(Errc::kUnavailable, "SERVFAIL"))};
  EXPECT_EQ(Text(visit), R"(visit http://photos.example/
  dns      photos.example A  us-east 127.1.0.1:5300  0.0 ms  timed out
  dns      photos.example A  us-east 127.1.0.1:5300  0.0 ms  SERVFAIL
  failed   no name server answered
  total    0.0 ms
)");
}

TEST(VisitText, OfAaaaOnlyWhatTellsSomething) {
  DnsAnswer none{.kind = DnsAnswer::Kind::kNoData};
  DnsAnswer found{.addresses = {*IpAddress::Parse("::1")}};
  Visit visit = ServedVisit("us-east");
  visit.dns = {TryOfType(RecordType::kAaaa, none)};
  EXPECT_THAT(Text(visit), Not(HasSubstr("AAAA")));
  visit.dns = {TryOfType(RecordType::kAaaa, found)};
  EXPECT_THAT(Text(visit), HasSubstr("AAAA  us-east 127.1.0.1:5300  0.0 ms  ::1"));
}

TEST(VisitText, AnAnswerByTcpAndANameThatIsNotThere) {
  DnsTry attempt = AddressTry();
  attempt.tcp = true;
  Visit visit = ServedVisit("us-east");
  visit.dns = {attempt, TryOfType(RecordType::kA, DnsAnswer{.kind = DnsAnswer::Kind::kNoName})};
  EXPECT_THAT(Text(visit), HasSubstr("subnet scope /24, over TCP\n"));
  EXPECT_THAT(Text(visit), HasSubstr("no such name, ttl 0 s\n"));
}

TEST(VisitText, ARecordOfTheVisitedNameItselfIsNotNamedAgain) {
  DnsTry attempt = HttpsTry();
  attempt.answer->services.resize(1);
  attempt.answer->services[0].target = Name();
  Visit visit = ServedVisit("us-east");
  visit.dns = {attempt};
  EXPECT_THAT(Text(visit), HasSubstr("1 127.1.0.1:8443, ttl"));
  visit.dns[0].answer->services[0].target = kPhotos;
  EXPECT_THAT(Text(visit), HasSubstr("1 127.1.0.1:8443, ttl"));
  visit.dns[0].answer->services[0].target = *Name::Parse("elsewhere.example");
  EXPECT_THAT(Text(visit), HasSubstr("1 elsewhere.example 127.1.0.1:8443, ttl"));
}

TEST(VisitText, WithoutAPathNothingIsSaidOfIt) {
  Visit visit = ServedVisit("us-east");
  visit.attempts.front().path = {};
  EXPECT_THAT(Text(visit), Not(HasSubstr("path")));
}

TEST(VisitText, WhatAServerSaysCannotDriveTheTerminal) {
  Attempt attempt = Answered("us-east", 302);
  attempt.location = "\x1b[2J\xff";
  EXPECT_THAT(Text(VisitOf({attempt})), HasSubstr("to ?[2J?\n"));
}

TEST(VisitText, ColourLeavesTheColumnsAsTheyAre) {
  std::string colored = Text(GoodVisit(), "http://photos.example/", "", true);
  EXPECT_THAT(colored, HasSubstr("\x1b[32m200 OK, 3.1 KB\x1b[0m\n"));
  for (size_t begin = 0; (begin = colored.find('\x1b')) != std::string::npos;) {
    colored.erase(begin, colored.find('m', begin) + 1 - begin);
  }
  EXPECT_EQ(colored, Text(GoodVisit()));
}

TEST(BytesText, IsShort) {
  EXPECT_EQ(BytesText(0), "0 bytes");
  EXPECT_EQ(BytesText(1), "1 byte");
  EXPECT_EQ(BytesText(999), "999 bytes");
  EXPECT_EQ(BytesText(1000), "1.0 KB");
  EXPECT_EQ(BytesText(999'949), "999.9 KB");
  EXPECT_EQ(BytesText(999'950), "1.0 MB");
}

}  // namespace
}  // namespace meridian::visit
