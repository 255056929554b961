#include "wire/http/fields/trace_context.hpp"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "wire/http/message.hpp"

namespace meridian::wire::http {
namespace {

using testing::MatchesRegex;

constexpr std::string_view kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

std::string Parsed(std::string_view text) {
  auto parent = ParseTraceParent(text);
  return parent ? std::string(parent->data(), parent->size()) : "";
}

class RequestIdsTest : public testing::Test {
 protected:
  RequestIds Make() { return {head_, random_}; }
  // The names and values for the next hop.
  std::string Sent() {
    RequestIds ids = Make();
    HeaderFields fields;
    ids.AddTo(head_, &fields);
    std::string text;
    for (const HeaderField& field : fields) {
      text.append(field.name).append(": ").append(field.value).append("\n");
    }
    return text;
  }
  RequestHead head_;
  Random random_{1};
};

TEST(TraceParent, AValidOneIsKeptWithItsFlags) {
  EXPECT_EQ(Parsed(kParent), kParent);
  std::string unsampled(kParent);
  unsampled.back() = '0';
  EXPECT_EQ(Parsed(unsampled), unsampled);
  EXPECT_EQ(Parsed("00-00000000000000000000000000000001-0000000000000001-03"),
            "00-00000000000000000000000000000001-0000000000000001-03");
}

TEST(TraceParent, AHigherVersionIsReadAsFarAsVersion00Goes) {
  EXPECT_EQ(Parsed("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0b-what.the.future"),
            kParent);
  EXPECT_EQ(Parsed("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), kParent);
}

TEST(TraceParent, AnythingElseIsInvalid) {
  for (std::string_view text : {
           "",
           "00",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-011",
           "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more",
           "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "00-00000000000000000000000000000000-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
           "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
           "0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331_01",
       }) {
    EXPECT_EQ(Parsed(text), "") << text;
  }
}

TEST_F(RequestIdsTest, AreMadeWhereTheVisitorBringsNone) {
  EXPECT_THAT(Sent(), MatchesRegex("X-Request-Id: [0-9a-f]{32}\n"
                                   "traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-01\n"));
  RequestIds ids = Make();
  EXPECT_NE(Parsed(ids.traceparent()), "");
  EXPECT_EQ(ids.trace_id(), ids.traceparent().substr(3, 32));
  EXPECT_NE(ids.trace_id(), Make().trace_id());
  EXPECT_NE(ids.request_id(), Make().request_id());
}

TEST_F(RequestIdsTest, ValidOnesArePassedOn) {
  head_.fields.Add("x-request-id", "a-Z_0.9:+/=@");
  head_.fields.Add("Traceparent", kParent);
  head_.fields.Add("Tracestate", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
  head_.fields.Add("tracestate", "fw529a3039@dt=FfAxxx; z");
  EXPECT_EQ(Sent(), "X-Request-Id: a-Z_0.9:+/=@\ntraceparent: " + std::string(kParent) +
                        "\ntracestate: congo=t61rcWkgMzE,rojo=00f067aa0ba902b7\n"
                        "tracestate: fw529a3039@dt=FfAxxx; z\n");
}

TEST_F(RequestIdsTest, TwoOfAKindAreNone) {
  head_.fields.Add("X-Request-Id", "one");
  head_.fields.Add("X-Request-Id", "two");
  head_.fields.Add("traceparent", kParent);
  head_.fields.Add("traceparent", kParent);
  RequestIds ids = Make();
  EXPECT_THAT(std::string(ids.request_id()), MatchesRegex("[0-9a-f]{32}"));
  EXPECT_NE(ids.traceparent(), kParent);
}

TEST_F(RequestIdsTest, AnUnsafeOrLongRequestIdIsReplaced) {
  for (const std::string& id : {std::string("a b"), std::string("a\"b"), std::string("a\xff"),
                                std::string("a,b"), std::string(kMaxRequestIdBytes + 1, 'a')}) {
    head_.fields.Clear();
    head_.fields.Add("X-Request-Id", id);
    EXPECT_THAT(std::string(Make().request_id()), MatchesRegex("[0-9a-f]{32}")) << id;
  }
  const std::string longest(kMaxRequestIdBytes, 'a');
  head_.fields.Clear();
  head_.fields.Add("X-Request-Id", longest);
  EXPECT_EQ(Make().request_id(), longest);
}

TEST_F(RequestIdsTest, ATracestateWithoutAValidTraceparentIsDropped) {
  head_.fields.Add("tracestate", "a=1");
  EXPECT_EQ(Sent().find("tracestate"), std::string::npos);
}

TEST_F(RequestIdsTest, ATracestatePastTheLimitsIsDropped) {
  std::string members;
  for (size_t i = 0; i < kMaxTraceStateMembers; ++i) members += "k" + std::to_string(i) + "=v,";
  for (const std::string& state :
       {members + "x=1", "a=" + std::string(kMaxTraceStateBytes, 'v'), std::string("A=1"),
        std::string("a"), std::string("=1"), std::string("a="), std::string("a=b=c"),
        std::string("a=\x7f"), std::string(","), std::string("-a=1")}) {
    head_.fields.Clear();
    head_.fields.Add("traceparent", kParent);
    head_.fields.Add("tracestate", state);
    EXPECT_EQ(Sent().find("tracestate"), std::string::npos) << state;
  }
  head_.fields.Clear();
  head_.fields.Add("traceparent", kParent);
  head_.fields.Add("tracestate", members);
  EXPECT_NE(Sent().find("tracestate: " + members), std::string::npos);
}

}  // namespace
}  // namespace meridian::wire::http
