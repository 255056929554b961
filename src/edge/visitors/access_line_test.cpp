#include "edge/visitors/access_line.hpp"

#include <chrono>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "wire/http/fields/trace_context.hpp"

namespace meridian::edge {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

class AccessLineTest : public testing::Test {
 protected:
  AccessLineTest() {
    request_.method = "GET";
    request_.target = "/a?b=c";
    request_.authority = "photos.example";
    request_.fields.Add("X-Request-Id", "r1");
    request_.fields.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  }
  std::string Line() {
    Random random(1);
    const wire::http::RequestIds ids(request_, random);
    std::string line;
    writer_.Append({.time = time_,
                    .client = client_,
                    .request = request_,
                    .ids = ids,
                    .status = 200,
                    .complete = true,
                    .sent_bytes = 1234,
                    .took = std::chrono::nanoseconds{1'000'045'678},
                    .result = VisitorResult::kForwarded,
                    .datacenter = "us-east",
                    .instance = "us-east-1"},
                   &line);
    return line;
  }
  wire::http::RequestHead request_;
  IpAddress client_ = IpAddress::V4(203, 0, 113, 9);
  WallTime time_{std::chrono::milliseconds{1'764'406'800'007}};
  AccessLineWriter writer_;
};

TEST_F(AccessLineTest, IsOneJsonObjectWithEveryField) {
  request_.fields.Add("User-Agent", "curl/8");
  request_.fields.Add("Referer", "https://photos.example/");
  EXPECT_EQ(Line(),
            R"({"time":"2025-11-29T09:00:00.007000Z","request_id":"r1",)"
            R"("trace_id":"0af7651916cd43dd8448eb211c80319c","client":"203.0.113.9",)"
            R"("method":"GET","host":"photos.example","target":"/a?b=c","status":200,)"
            R"("complete":true,"sent_bytes":1234,"duration_s":1.000045,"result":"forwarded",)"
            R"("datacenter":"us-east","instance":"us-east-1","user_agent":"curl/8",)"
            R"("referer":"https://photos.example/"})"
            "\n");
}

TEST_F(AccessLineTest, TheTimeFollowsTheClock) {
  (void)Line();
  time_ += std::chrono::seconds{60};
  EXPECT_THAT(Line(), HasSubstr("\"2025-11-29T09:01:00.007000Z\""));
}

TEST_F(AccessLineTest, AnIpv6ClientIsLoggedAsItIsWritten) {
  client_ = IpAddress::Parse("2001:db8::1").value();
  EXPECT_THAT(Line(), HasSubstr(R"("client":"2001:db8::1")"));
}

TEST_F(AccessLineTest, AVisitorsTextCannotForgeALineOrAField) {
  request_.target = "/\"},{\"status\":500\\";
  request_.fields.Add("User-Agent", "a\x01\t\x7f\xff\xc3\xa9");
  request_.fields.Add("Referer", "\r\n{\"time\":1}");
  const std::string line = Line();
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(line.find('\r'), line.npos);
  EXPECT_THAT(line, HasSubstr(R"("target":"/\"},{\"status\":500\\",)"));
  EXPECT_THAT(line, HasSubstr("\"user_agent\":\"a\\u0001\\u0009\\u007f\xef\xbf\xbd\xc3\xa9\""));
  EXPECT_THAT(line, HasSubstr(R"("referer":"\u000d\n{\"time\":1}")"));
}

TEST_F(AccessLineTest, LongTextsAreCutAndTheLineHasItsLimit) {
  const std::string method(kMaxLoggedMethodBytes + 1, '"');
  const std::string text(10'000, '\x01');
  request_.method = method;
  request_.target = request_.authority = text;
  request_.fields.Add("User-Agent", text);
  request_.fields.Add("Referer", text);
  const std::string line = Line();
  EXPECT_LE(line.size(), kMaxAccessLineBytes);
  EXPECT_THAT(line, EndsWith(",\"truncated\":true}\n"));
}

}  // namespace
}  // namespace meridian::edge
