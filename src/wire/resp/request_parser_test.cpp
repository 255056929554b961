#include "wire/resp/request_parser.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meridian::wire::resp {
namespace {

using State = RequestOutcome::State;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr RequestLimits kLimits{.max_arguments = 3, .max_bulk_bytes = 4, .max_request_bytes = 64};

std::string ErrorOf(std::string_view input, const RequestLimits& limits = kLimits) {
  RequestParser parser(limits);
  RequestOutcome outcome = parser.Parse(input);
  return outcome.state == State::kError ? ProtocolErrorText(outcome) : "no error";
}

bool IsAccepted(std::string_view input) {
  RequestParser parser(kLimits);
  RequestOutcome outcome = parser.Parse(input);
  return outcome.state == State::kDone && outcome.consumed == input.size();
}

TEST(RequestParser, ArrayOfBulksIsViewsIntoTheInput) {
  std::string input = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n";
  RequestParser parser;
  RequestOutcome outcome = parser.Parse(input);
  ASSERT_EQ(outcome.state, State::kDone);
  EXPECT_EQ(outcome.consumed, input.size() - 4);
  EXPECT_THAT(parser.arguments(), ElementsAre("GET", "k"));
  EXPECT_EQ(parser.arguments()[0].data(), input.data() + 8);
}

TEST(RequestParser, RequestInPiecesThatMoveIsParsedOnce) {
  std::string whole = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\nb\r\n";
  RequestParser parser;
  for (size_t size = 1; size < whole.size(); ++size) {
    std::vector<char> moved(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_EQ(parser.Parse({moved.data(), size}).state, State::kNeedMore) << size;
    EXPECT_GT(parser.min_bytes(), size);
    EXPECT_LE(parser.min_bytes(), whole.size());
  }
  ASSERT_EQ(parser.Parse(whole).state, State::kDone);
  EXPECT_THAT(parser.arguments(), ElementsAre("SET", "k", "a\r\nb"));
}

TEST(RequestParser, BegunBulkSaysHowMuchIsToCome) {
  RequestParser parser;
  ASSERT_EQ(parser.Parse("*1\r\n$1000\r\nabc").state, State::kNeedMore);
  EXPECT_EQ(parser.min_bytes(), 4 + 7 + 1000 + 2);
}

TEST(RequestParser, EmptyRequestsHaveNoArguments) {
  for (std::string_view input : {"*0\r\n", "*-1\r\n", "\r\n", "\n", "   \r\n"}) {
    RequestParser parser;
    RequestOutcome outcome = parser.Parse(input);
    EXPECT_EQ(outcome.state, State::kDone) << input;
    EXPECT_EQ(outcome.consumed, input.size());
    EXPECT_THAT(parser.arguments(), IsEmpty());
  }
}

TEST(RequestParser, InlineRequestMayQuoteItsWords) {
  RequestParser parser;
  std::string_view input = "SET  \"a \\x41\\n\\\"\" 'it\\'s' pla\\in\r\n";
  ASSERT_EQ(parser.Parse(input).state, State::kDone);
  EXPECT_THAT(parser.arguments(), ElementsAre("SET", "a A\n\"", "it's", "pla\\in"));
}

TEST(RequestParser, InlineRequestWithBadQuotesIsRefused) {
  EXPECT_EQ(ErrorOf("GET \"a\r\n"), "Protocol error: unbalanced quotes in request");
  EXPECT_EQ(ErrorOf("GET 'a'b\r\n"), "Protocol error: unbalanced quotes in request");
}

TEST(RequestParser, InlineRequestOfTheLimitIsAcceptedAndNoLonger) {
  std::string longest(kMaxInlineBytes - 1, 'x');
  EXPECT_TRUE(IsAccepted(longest + "\n"));
  EXPECT_EQ(ErrorOf(longest + "x"), "Protocol error: too big inline request");
}

TEST(RequestParser, ArgumentsUpToTheLimitAreAccepted) {
  EXPECT_TRUE(IsAccepted("*3\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n"));
  EXPECT_EQ(ErrorOf("*4\r\n"), "Protocol error: invalid multibulk length");
}

TEST(RequestParser, BulkUpToTheLimitIsAccepted) {
  EXPECT_TRUE(IsAccepted("*1\r\n$4\r\nabcd\r\n"));
  EXPECT_EQ(ErrorOf("*1\r\n$5\r\n"), "Protocol error: invalid bulk length");
}

TEST(RequestParser, RequestUpToTheLimitIsAccepted) {
  RequestLimits limits{.max_arguments = 3, .max_bulk_bytes = 100, .max_request_bytes = 16};
  RequestParser parser(limits);
  EXPECT_EQ(parser.Parse("*1\r\n$6\r\nabcdef\r\n").state, State::kDone);
  EXPECT_EQ(ErrorOf("*1\r\n$7\r\n", limits), "Protocol error: invalid bulk length");
}

TEST(RequestParser, WhoHasShownNoPasswordMaySendLittle) {
  EXPECT_EQ(ErrorOf("*10\r\n", kUnauthenticatedLimits), "no error");
  EXPECT_EQ(ErrorOf("*11\r\n", kUnauthenticatedLimits),
            "Protocol error: unauthenticated multibulk length");
  EXPECT_EQ(ErrorOf("*1\r\n$16384\r\n", kUnauthenticatedLimits), "no error");
  EXPECT_EQ(ErrorOf("*1\r\n$16385\r\n", kUnauthenticatedLimits),
            "Protocol error: unauthenticated bulk length");
}

TEST(RequestParser, MalformedLengthsAreRefused) {
  EXPECT_EQ(ErrorOf("*x\r\n"), "Protocol error: invalid multibulk length");
  EXPECT_EQ(ErrorOf("*+1\r\n"), "Protocol error: invalid multibulk length");
  EXPECT_EQ(ErrorOf("*01\r\n"), "Protocol error: invalid multibulk length");
  EXPECT_EQ(ErrorOf("*99999999999999999999\r\n"), "Protocol error: invalid multibulk length");
  EXPECT_EQ(ErrorOf("*1\r\n$-1\r\n"), "Protocol error: invalid bulk length");
  EXPECT_EQ(ErrorOf("*1\r\n$1x\r\n"), "Protocol error: invalid bulk length");
  EXPECT_EQ(ErrorOf("*1\r\n$1\r\nab\r\n"), "Protocol error: invalid bulk length");
}

TEST(RequestParser, LengthWithoutEndIsRefused) {
  EXPECT_EQ(ErrorOf("*" + std::string(kMaxInlineBytes, '1')),
            "Protocol error: too big mbulk count string");
  EXPECT_EQ(ErrorOf("*1\r\n$" + std::string(kMaxInlineBytes, '1')),
            "Protocol error: too big bulk count string");
}

TEST(RequestParser, WhatIsNoBulkIsNamed) {
  EXPECT_EQ(ErrorOf("*1\r\n:5\r\n"), "Protocol error: expected '$', got ':'");
  EXPECT_EQ(ErrorOf("*1\r\n\r\n"), "Protocol error: expected '$', got ' '");
}

TEST(RequestParser, RequestAfterAnErrorBeginsAnew) {
  RequestParser parser(kLimits);
  EXPECT_EQ(parser.Parse("*9\r\n").state, State::kError);
  EXPECT_EQ(parser.Parse("PING\r\n").state, State::kDone);
  EXPECT_THAT(parser.arguments(), ElementsAre("PING"));
}

}  // namespace
}  // namespace meridian::wire::resp
