#include "wire/http/head_parser.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "wire/http/case_file.hpp"

namespace meridian::wire::http {
namespace {

using State = HeadOutcome::State;

constexpr std::string_view kSmallRequest = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

std::string BodyText(const BodyFraming& body) {
  switch (body.kind) {
    case BodyFraming::Kind::kNone:
      return "none";
    case BodyFraming::Kind::kContentLength:
      return std::to_string(body.length);
    case BodyFraming::Kind::kChunked:
      return "chunked";
    case BodyFraming::Kind::kUntilClose:
      return "close";
  }
  return "?";
}

template <class Head>
std::string HeadText(const Head& head) {
  std::string text = "ok " + BodyText(head.body);
  if (!head.keep_alive) text += " close";
  if constexpr (requires { head.expects_continue; }) {
    if (head.expects_continue) text += " continue";
  }
  if (head.nominates_fields) text += " nominates";
  if (!head.upgrade.empty()) text += " upgrade=" + std::string(head.upgrade);
  return text;
}

template <class Head>
std::string OutcomeText(const HeadOutcome& outcome, const Head& head) {
  if (outcome.state == State::kNeedMore) return "more";
  return outcome.state == State::kError ? std::string(Describe(outcome.error)) : HeadText(head);
}

// Feeds `input` byte by byte, each time at another address with nothing behind it, so that a view
// into older bytes or a read past the end is an error that the address sanitizer sees.
template <class Parse>
HeadOutcome FeedByteByByte(std::string_view input, std::unique_ptr<char[]>* storage, Parse parse) {
  HeadOutcome outcome;
  for (size_t size = 1; size <= input.size() && outcome.state == State::kNeedMore; ++size) {
    auto bytes = std::make_unique<char[]>(size);
    input.copy(bytes.get(), size);
    outcome = parse(std::string_view(bytes.get(), size));
    *storage = std::move(bytes);
  }
  return outcome;
}

TEST(RequestHeadParser, AgreesWithTheCaseFile) {
  for (const FileCase& each : ReadCases("request_head_cases.txt")) {
    RequestHeadParser parser;
    RequestHead head;
    HeadOutcome outcome = parser.Parse(each.input, &head);
    EXPECT_EQ(OutcomeText(outcome, head), each.expected) << "line " << each.line;
  }
}

TEST(RequestHeadParser, SaysTheSameWhenTheHeadArrivesByteByByte) {
  for (const FileCase& each : ReadCases("request_head_cases.txt")) {
    RequestHeadParser parser;
    RequestHead head;
    std::unique_ptr<char[]> storage;
    HeadOutcome outcome = FeedByteByByte(
        each.input, &storage, [&](std::string_view input) { return parser.Parse(input, &head); });
    EXPECT_EQ(OutcomeText(outcome, head), each.expected) << "line " << each.line;
  }
}

RequestKind TakeMethod(std::string* expected) {
  size_t colon = expected->find(": ");
  RequestKind kind = RequestKindOf(expected->substr(0, colon));
  expected->erase(0, colon + 2);
  return kind;
}

TEST(ResponseHeadParser, AgreesWithTheCaseFileAlsoByteByByte) {
  for (FileCase& each : ReadCases("response_head_cases.txt")) {
    RequestKind kind = TakeMethod(&each.expected);
    ResponseHeadParser parser;
    ResponseHead head;
    auto parse = [&](std::string_view input) { return parser.Parse(input, kind, &head); };
    EXPECT_EQ(OutcomeText(parse(each.input), head), each.expected) << "line " << each.line;
    std::unique_ptr<char[]> storage;
    HeadOutcome outcome = FeedByteByByte(each.input, &storage, parse);
    EXPECT_EQ(OutcomeText(outcome, head), each.expected) << "line " << each.line;
  }
}

TEST(RequestHeadParser, TakesTheHeadApartIntoViews) {
  std::string input =
      "POST /a/b?c=d HTTP/1.1\r\nHost: photos.example:8080\r\nAccept: x\r\naccept:  y , z \r\n\r\n"
      "body";
  RequestHeadParser parser;
  RequestHead head;
  HeadOutcome outcome = parser.Parse(input, &head);
  ASSERT_EQ(outcome.state, State::kDone);
  EXPECT_EQ(input.substr(outcome.consumed), "body");
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/a/b?c=d");
  EXPECT_EQ(head.form, TargetForm::kOrigin);
  EXPECT_EQ(head.path, "/a/b");
  EXPECT_EQ(head.query, "c=d");
  EXPECT_EQ(head.authority, "photos.example:8080");
  EXPECT_EQ(head.fields.size(), 3u);
  EXPECT_EQ(head.fields.Find("ACCEPT"), "x");
  EXPECT_EQ(head.fields[2].value, "y , z");
  EXPECT_FALSE(head.fields.Has("Accep"));
}

TEST(RequestHeadParser, GivesPathAndAuthorityOfEveryTargetForm) {
  struct Case {
    std::string request_line;
    TargetForm form;
    std::string_view authority, path;
    std::optional<std::string_view> query;
  };
  for (const Case& each : {
           Case{"GET http://b:80/c?d", TargetForm::kAbsolute, "b:80", "/c", "d"},
           Case{"GET http://b", TargetForm::kAbsolute, "b", "/", std::nullopt},
           Case{"GET http://b?d", TargetForm::kAbsolute, "b", "/", "d"},
           Case{"OPTIONS http://b", TargetForm::kAbsolute, "b", "*", std::nullopt},
           Case{"OPTIONS *", TargetForm::kAsterisk, "b", "*", std::nullopt},
           Case{"CONNECT b:80", TargetForm::kAuthority, "b:80", "", std::nullopt},
           Case{"GET /?", TargetForm::kOrigin, "b", "/", ""},
       }) {
    RequestHeadParser parser;
    RequestHead head;
    std::string input = each.request_line + " HTTP/1.1\r\nHost: b\r\n\r\n";
    ASSERT_EQ(parser.Parse(input, &head).state, State::kDone) << input;
    EXPECT_EQ(head.form, each.form) << input;
    EXPECT_EQ(head.authority, each.authority) << input;
    EXPECT_EQ(head.path, each.path) << input;
    EXPECT_EQ(head.query, each.query) << input;
  }
}

TEST(RequestHeadParser, ParsesPipelinedHeadsOneAfterAnother) {
  std::string input = std::string(kSmallRequest) + "GET /2 HTTP/1.1\r\nHost: b\r\nX: y\r\n\r\n";
  RequestHeadParser parser;
  RequestHead head;
  HeadOutcome first = parser.Parse(input, &head);
  ASSERT_EQ(first.state, State::kDone);
  EXPECT_EQ(first.consumed, kSmallRequest.size());
  std::string_view rest = std::string_view(input).substr(first.consumed);
  HeadOutcome second = parser.Parse(rest, &head);
  ASSERT_EQ(second.state, State::kDone);
  EXPECT_EQ(second.consumed, rest.size());
  EXPECT_EQ(head.path, "/2");
  EXPECT_EQ(head.fields.size(), 2u);
}

TEST(RequestHeadParser, ErrorInAnEarlyLineIsSeenBeforeTheHeadIsComplete) {
  RequestHeadParser parser;
  RequestHead head;
  HeadOutcome outcome = parser.Parse("GET / HTTP/1.1\r\nHost : a\r\nX", &head);
  EXPECT_EQ(outcome.state, State::kError);
  EXPECT_EQ(outcome.error, ParseError::kSpaceBeforeColon);
}

std::string RequestOfHeadSize(size_t size) {
  std::string request = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  request.append(size - request.size() - 4, 'x');
  return request + "\r\n\r\n";
}

TEST(RequestHeadParser, HeadAtTheLimitIsTakenAndOneByteMoreIsRefused) {
  HeadLimits limits{.max_head_bytes = 200};
  RequestHead head;
  RequestHeadParser parser(limits);
  EXPECT_EQ(parser.Parse(RequestOfHeadSize(200) + "body", &head).state, State::kDone);
  HeadOutcome outcome = parser.Parse(RequestOfHeadSize(201), &head);
  EXPECT_EQ(outcome.state, State::kError);
  EXPECT_EQ(outcome.error, ParseError::kHeadTooLarge);
  EXPECT_EQ(StatusOf(outcome.error), 431);
}

TEST(RequestHeadParser, StartLineAtTheLimitIsTakenAndOneByteMoreIsRefused) {
  HeadLimits limits{.max_start_line_bytes = 40};
  std::string start = "GET /" + std::string(24, 'x') + " HTTP/1.1\r\n";
  ASSERT_EQ(start.size(), 40u);
  RequestHead head;
  RequestHeadParser parser(limits);
  EXPECT_EQ(parser.Parse(start + "Host: a\r\n\r\n", &head).state, State::kDone);
  for (std::string_view too_long : {std::string_view("GET /xxxxxxxxxxxxxxxxxxxxxxxxx HTTP/1.1\r\n"),
                                    std::string_view("GET /xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")}) {
    HeadOutcome outcome = parser.Parse(too_long, &head);
    EXPECT_EQ(outcome.state, State::kError);
    EXPECT_EQ(outcome.error, ParseError::kStartLineTooLong);
    EXPECT_EQ(StatusOf(outcome.error), 414);
  }
}

TEST(RequestHeadParser, AsManyFieldsAsTheLimitAreTakenAndOneMoreIsRefused) {
  HeadLimits limits{.max_fields = 3};
  RequestHead head;
  RequestHeadParser parser(limits);
  std::string request = "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nX: 2\r\n";
  EXPECT_EQ(parser.Parse(request + "\r\n", &head).state, State::kDone);
  HeadOutcome outcome = parser.Parse(request + "X: 3\r\n", &head);
  EXPECT_EQ(outcome.state, State::kError);
  EXPECT_EQ(outcome.error, ParseError::kTooManyFields);
  EXPECT_EQ(StatusOf(outcome.error), 431);
}

TEST(RequestHeadParser, ViewsFollowBytesThatMove) {
  std::string input = "GET http://a/b?c HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
  RequestHeadParser parser;
  RequestHead head;
  ASSERT_EQ(parser.Parse(input, &head).state, State::kDone);
  std::string moved = input;
  head.Rebase(input.data(), input.size(), moved.data());
  input.assign(input.size(), '?');
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.target, "http://a/b?c");
  EXPECT_EQ(head.authority, "a");
  EXPECT_EQ(head.path, "/b");
  EXPECT_EQ(head.query, "c");
  EXPECT_EQ(head.fields.Find("x"), "y");
}

TEST(ParseErrors, EachHasItsStatus) {
  EXPECT_EQ(StatusOf(ParseError::kBareLf), 400);
  EXPECT_EQ(StatusOf(ParseError::kChunkTooLarge), 413);
  EXPECT_EQ(StatusOf(ParseError::kStartLineTooLong), 414);
  EXPECT_EQ(StatusOf(ParseError::kTrailersTooLarge), 431);
  EXPECT_EQ(StatusOf(ParseError::kUnknownTransferCoding), 501);
  EXPECT_EQ(StatusOf(ParseError::kMethodTooLong), 501);
  EXPECT_EQ(StatusOf(ParseError::kUnsupportedVersion), 505);
}

}  // namespace
}  // namespace meridian::wire::http
