#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "http/server/server_fixture.hpp"
#include "io/wait_queue.hpp"

namespace meridian::http {
namespace {

using std::chrono::seconds;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

using HalfCloseTest = ServerFixture;

TEST_F(HalfCloseTest, HalfClosedClientGetsItsAnswerWithinTheTimeout) {
  handler_ = [&](Exchange& exchange) -> io::Task<void> {
    EXPECT_TRUE(co_await io::Sleep(limits_.half_close_timeout - seconds{1}));
    (void)co_await RespondText(exchange, 200, "hello");
  };
  EXPECT_TRUE(Talk(kGet).ends_with("hello"));
}

TEST_F(HalfCloseTest, HalfClosedClientThatGotNoByteForTheTimeoutCountsAsGone) {
  Errc ended{};
  TimePoint cancelled_at;
  handler_ = [&](Exchange&) -> io::Task<void> {
    Result<void> slept = co_await io::Sleep(seconds{1000});
    if (!slept) ended = slept.error().code;
    cancelled_at = loop_.Now();
  };
  TimePoint begin = loop_.Now();
  (void)Talk(kGet);
  EXPECT_EQ(ended, Errc::kCancelled);
  EXPECT_EQ(cancelled_at - begin, limits_.half_close_timeout);
}

TEST_F(HalfCloseTest, HalfClosedClientThatHasBegunToGetItsAnswerGetsAllOfIt) {
  handler_ = [&](Exchange& exchange) -> io::Task<void> {
    EXPECT_TRUE(co_await io::Sleep(seconds{1}));
    EXPECT_TRUE(exchange.Start({.content_length = 5}));
    EXPECT_TRUE(co_await exchange.Write(AsBytes("he")));
    EXPECT_TRUE(co_await io::Sleep(3 * limits_.half_close_timeout));
    EXPECT_TRUE(co_await exchange.Finish(AsBytes("llo"), {}));
  };
  EXPECT_TRUE(Talk(kGet).ends_with("hello"));
}

TEST_F(HalfCloseTest, HalfClosedClientThatReadsSlowlyIsNotTakenForGone) {
  std::string large(200'000, 'x');
  handler_ = [&](Exchange& exchange) -> io::Task<void> {
    (void)co_await exchange.Respond({}, AsBytes(large));
  };
  Run([&](MemoryStream& stream) -> io::Task<void> {
    RawPeer peer(stream);
    (void)co_await peer.Send(kGet);
    stream.ShutdownWrite();
    (void)co_await io::Sleep(limits_.half_close_timeout + seconds{5});
    std::string answer = co_await peer.ReadToEnd();
    EXPECT_EQ(std::count(answer.begin(), answer.end(), 'x'), 200'000);
  });
}

}  // namespace
}  // namespace meridian::http
