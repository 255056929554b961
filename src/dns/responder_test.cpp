#include "dns/responder.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "dns/photos_site.hpp"

namespace meridian::dns {
namespace {

using wire::dns::Rcode;
using wire::dns::Record;
using wire::dns::RecordClass;
using wire::dns::RecordType;
using wire::dns::Response;

const std::map<std::string, RecordType> kTypes = {
    {"A", RecordType::kA},        {"AAAA", RecordType::kAaaa}, {"HTTPS", RecordType::kHttps},
    {"NS", RecordType::kNs},      {"SOA", RecordType::kSoa},   {"TXT", RecordType::kTxt},
    {"ANY", RecordType::kAny},    {"AXFR", RecordType::kAxfr}, {"CNAME", RecordType::kCname},
    {"HINFO", RecordType::kHinfo}};
const std::map<std::string, RecordClass> kClasses = {
    {"", RecordClass::kIn}, {"CH", RecordClass::kChaos}, {"ANY", RecordClass::kAny}};
const std::map<Rcode, std::string> kRcodes = {
    {Rcode::kNoError, "NOERROR"}, {Rcode::kNxDomain, "NXDOMAIN"}, {Rcode::kRefused, "REFUSED"}};

std::vector<std::string> Split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream input(text);
  for (std::string part; std::getline(input, part, at);) {
    size_t first = part.find_first_not_of(' ');
    part = first == std::string::npos ? ""
                                      : part.substr(first, part.find_last_not_of(' ') - first + 1);
    parts.push_back(part);
  }
  return parts;
}

// "us-east." for us-east.photos.example, "." for the domain itself, and the root is "-".
std::string Short(const wire::dns::Name& name) {
  std::string text = name.ToString();
  if (text == ".") return "-";
  size_t domain = text.rfind("photos.example.");
  return domain == 0 ? "." : text.substr(0, domain);
}

struct DataText {
  std::string operator()(const wire::dns::OpaqueData&) const { return "opaque"; }
  std::string operator()(const IpAddress& address) const { return address.ToString(); }
  std::string operator()(const wire::dns::NameData& data) const { return Short(data.name); }
  std::string operator()(const wire::dns::SoaData& soa) const {
    return fmt::format("{} {}", soa.serial, soa.minimum_seconds);
  }
  std::string operator()(const wire::dns::TextData& text) const { return text.strings.at(0); }
  std::string operator()(const wire::dns::ServiceBinding& binding) const {
    std::string text =
        fmt::format("{} {} port={}", binding.priority, Short(binding.target), binding.port.value());
    for (const auto& hint : binding.ipv4_hints) text += " " + hint.ToString();
    for (const auto& hint : binding.ipv6_hints) text += " " + hint.ToString();
    return text;
  }
};

std::string Text(const std::vector<Record>& records) {
  std::vector<std::string> texts;
  for (const Record& record : records) {
    EXPECT_EQ(record.ttl_seconds, 30U);
    auto named = [&record](const auto& type) { return type.second == record.type; };
    texts.push_back(fmt::format("{} {} {}", Short(record.owner),
                                std::ranges::find_if(kTypes, named)->first,
                                std::visit(DataText(), record.data)));
  }
  return fmt::format("{}", fmt::join(texts, "; "));
}

std::string Text(const Response& response) {
  std::string status = kRcodes.at(response.rcode);
  if (response.header.authoritative) status += " aa";
  if (response.edns) status += fmt::format(" scope={}", response.edns->subnet->scope_length);
  return fmt::format("{} | {} | {} | {}", status, Text(response.answers),
                     Text(response.authorities), Text(response.additionals));
}

TestQuery TestQueryFrom(const std::string& question, const std::string& client) {
  std::vector<std::string> words = Split(question, ' ');
  std::vector<std::string> addresses = Split(client, ' ');
  TestQuery test_query{.name = words[0] == "." ? "photos.example" : words[0],
                       .type = kTypes.at(words[1]),
                       .record_class = kClasses.at(words.size() > 2 ? words[2] : ""),
                       .source = *IpAddress::Parse(addresses[0])};
  if (words[0] != "." && test_query.name.back() == '.') test_query.name += "photos.example";
  if (addresses.size() > 1) test_query.subnet = Prefix(addresses[1]);
  return test_query;
}

TEST(Responder, AnswersAsTheDataFileSays) {
  Snapshot site = Photos();
  int lines = 0;
  std::ifstream file(MERIDIAN_TESTDATA "/answers.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    ++lines;
    std::vector<std::string> columns = Split(line + " ", '|');
    ASSERT_EQ(columns.size(), 6U) << line;
    // The table is aligned for reading: several spaces are one.
    std::vector<std::string> question = Split(columns[0], ' ');
    std::erase(question, "");
    TestQuery test_query = TestQueryFrom(fmt::format("{}", fmt::join(question, " ")), columns[1]);
    EXPECT_EQ(Text(Ask(site, test_query)),
              fmt::format("{} | {} | {} | {}", columns[2], columns[3], columns[4], columns[5]))
        << line;
  }
  EXPECT_GT(lines, 30);
}

TEST(Responder, WhatIsOutIsInNoSteeredAnswer) {
  std::vector<DataCenterCandidate> candidates = PhotosCandidates();
  candidates[1].serving = false;
  Snapshot site = Photos({.candidates = candidates});
  for (const char* client : {"198.51.100.9", "203.0.113.9"}) {
    EXPECT_EQ(Text(Ask(site, TestQueryFrom(". A", client)).answers), ". A 127.1.0.1");
    EXPECT_EQ(Ask(site, TestQueryFrom(". HTTPS", client)).answers.size(), 1U);
  }
  EXPECT_EQ(Text(Ask(site, TestQueryFrom("us-west. A", "203.0.113.9")).answers),
            "us-west. A 127.2.0.1");
}

TEST(Responder, WhenAllAreOutAllAreAnswered) {
  std::vector<DataCenterCandidate> candidates = PhotosCandidates();
  candidates[0].serving = candidates[1].serving = false;
  Snapshot site = Photos({.candidates = candidates});
  EXPECT_EQ(Text(Ask(site, TestQueryFrom(". A", "203.0.113.9")).answers),
            ". A 127.2.0.1; . A 127.1.0.1");
  EXPECT_EQ(Ask(site, TestQueryFrom(". HTTPS", "203.0.113.9")).answers.size(), 2U);
}

TEST(Responder, FamilyThatNoServingDataCenterHasIsNoData) {
  std::vector<DataCenterCandidate> candidates = PhotosCandidates();
  candidates[0].serving = false;
  Snapshot site = Photos({.candidates = candidates});
  EXPECT_EQ(Text(Ask(site, TestQueryFrom(". AAAA", "203.0.113.9"))),
            "NOERROR aa |  | . SOA 1 30 | ");
}

TEST(Responder, BothFamiliesOfAClientAgree) {
  ZoneOptions zone = PhotosZone();
  zone.data_centers[1].addresses.push_back(*IpAddress::Parse("2001:db8:2::1"));
  Snapshot site = Photos({.mode = SteeringMode::kWeighted, .zone = zone});
  for (int block = 0; block < 200; ++block) {
    std::string client = fmt::format("10.0.{}.1", block);
    bool a_east = Text(Ask(site, TestQueryFrom(". A", client)).answers) == ". A 127.1.0.1";
    bool aaaa_east =
        Text(Ask(site, TestQueryFrom(". AAAA", client)).answers) == ". AAAA 2001:db8:1::1";
    bool https_east =
        Text(Ask(site, TestQueryFrom(". HTTPS", client)).answers).starts_with(". HTTPS 1 us-east");
    EXPECT_EQ(a_east, aaaa_east);
    EXPECT_EQ(a_east, https_east);
  }
}

TEST(Responder, WeightedAnswersHoldForTheClientsBlock) {
  Snapshot site = Photos({.mode = SteeringMode::kWeighted});
  auto scope = [&site](std::string_view subnet) {
    return Ask(site, {.name = "photos.example", .subnet = Prefix(subnet)})
        .edns->subnet->scope_length;
  };
  EXPECT_EQ(scope("203.0.113.77/32"), 24);
  EXPECT_EQ(scope("203.0.0.0/16"), 24) << "asking with more bits gets a better answer";
  EXPECT_EQ(scope("2001:db8:1:200::/64"), 56);
}

TEST(Responder, MapDecidesWhereItSays) {
  Snapshot site = Photos(
      {.mode = SteeringMode::kMapped,
       .map = {.by_place = {{"new-york", 1}}, .by_prefix = {{Prefix("203.0.113.64/26"), 0}}}});
  EXPECT_EQ(Text(Ask(site, TestQueryFrom(". A", "198.51.100.9")).answers), ". A 127.2.0.1");
  EXPECT_EQ(Text(Ask(site, TestQueryFrom(". A", "203.0.113.100")).answers), ". A 127.1.0.1");
  EXPECT_EQ(Text(Ask(site, TestQueryFrom(". A", "203.0.113.9")).answers), ". A 127.2.0.1");
  EXPECT_EQ(Ask(site, TestQueryFrom(". A", "127.0.0.1 203.0.113.0/26")).edns->subnet->scope_length,
            26);
}

TEST(Responder, SaysWhichDataCenterWasChosen) {
  Snapshot site = Photos();
  std::array<uint8_t, wire::dns::kMinUdpResponseBytes> message{};
  auto chosen = [&](const TestQuery& test_query) {
    size_t size = wire::dns::EncodeQuery(QueryOf(test_query), message);
    return RespondTo(site, {Bytes(message).first(size), test_query.source}).first.steered_to;
  };
  EXPECT_EQ(chosen({.name = "photos.example"}), 1);
  EXPECT_EQ(chosen({.name = "photos.example", .source = IpAddress::V4(198, 51, 100, 1)}), 0);
  EXPECT_FALSE(chosen({.name = "us-west.photos.example"}));
}

Reply ReplyTo(const std::vector<uint8_t>& message) {
  return RespondTo(Photos(), {message, IpAddress::V4(127, 0, 0, 1)}).first;
}

TEST(Responder, OwesEachMalformedMessageItsKind) {
  EXPECT_EQ(ReplyTo({1, 2, 3}).kind, ReplyKind::kDropped);
  EXPECT_EQ(ReplyTo({1, 2, 3}).bytes, 0U);
  EXPECT_EQ(ReplyTo({0, 1, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0}).kind, ReplyKind::kDropped);
  EXPECT_EQ(ReplyTo({0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}).kind, ReplyKind::kFormErr);
  EXPECT_EQ(ReplyTo({0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}).bytes, 12U);
  EXPECT_EQ(ReplyTo({0, 1, 0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0}).kind, ReplyKind::kNotImp);
  EXPECT_EQ(ReplyTo({0, 1, 0,  0, 0,    1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1,  //
                     0, 0, 41, 4, 0xd0, 0, 1, 0, 0, 0, 0})
                .kind,
            ReplyKind::kBadVers);
}

TEST(Responder, AnswerThatDoesNotFitIsTruncatedOverUdpAndWholeOverTcp) {
  Snapshot site = LargeSite();
  TestQuery test_query{.name = "photos.example", .subnet = Prefix("203.0.113.0/24")};
  Response udp = Ask(site, test_query);
  EXPECT_TRUE(udp.header.truncated);
  EXPECT_TRUE(udp.edns);
  test_query.transport = Transport::kTcp;
  Response tcp = Ask(site, test_query);
  EXPECT_FALSE(tcp.header.truncated);
  EXPECT_EQ(tcp.answers.size(), kMaxDataCenters * 8);
}

TEST(Responder, HttpsListHoldsTheFirstEight) {
  Response response =
      Ask(LargeSite(),
          {.name = "photos.example", .type = RecordType::kHttps, .transport = Transport::kTcp});
  EXPECT_EQ(response.answers.size(), kMaxHttpsRecords);
}

}  // namespace
}  // namespace meridian::dns
