#include "dns/health/prober.hpp"

#include <gtest/gtest.h>

#include "base/metrics_text.hpp"
#include "http/server/server.hpp"
#include "io/net/socket.hpp"
#include "io/wait_queue.hpp"

namespace meridian::dns {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Endpoint kAnyPort{IpAddress::V4(127, 0, 0, 1), 0};

class ProberTest : public testing::Test {
 protected:
  // Probes `edge` until there are `count` results, and returns them: '+' or '-'.
  io::Task<std::string> Results(Endpoint edge, size_t count) {
    Prober prober(loop_, network_, metrics_,
                  {.host = "photos.example",
                   .from = IpAddress::V4(127, 0, 0, 1),
                   .interval = milliseconds{5},
                   .timeout = milliseconds{100}});
    std::string results;
    io::Scope scope(loop_);
    io::WaitQueue changed;
    prober.Start(
        {{"us-east", edge}},
        [&](size_t target, bool hit) {
          EXPECT_EQ(target, 0U);
          results.push_back(hit ? '+' : '-');
          changed.WakeAll();
        },
        scope);
    while (results.size() < count) {
      EXPECT_TRUE(co_await changed.Wait(loop_.After(seconds{10})));
    }
    scope.Cancel();
    co_await scope.Join();
    co_return results.substr(0, count);
  }

  // The results of probing an edge that answers with `handler`.
  std::string ResultsOf(http::Server::Handler handler, size_t count) {
    auto run = [&]() -> io::Task<std::string> {
      http::Server edge(loop_, {}, std::move(handler));
      auto listener = network_.Listen(kAnyPort, {}).value();
      Endpoint at = listener->local();
      edge.Serve(std::move(listener));
      std::string results = co_await Results(at, count);
      co_await edge.Drain(loop_.Now());
      co_return results;
    };
    return loop_.RunToEnd(run());
  }

  io::EpollDriver driver_;
  io::Loop loop_{driver_};
  io::SystemNetwork network_{driver_};
  Metrics metrics_;
};

TEST_F(ProberTest, ReadyEdgeIsHitAtEveryProbe) {
  std::string asked;
  auto ready = [&](http::Exchange& exchange) -> io::Task<void> {
    asked = exchange.request().path;
    (void)co_await http::RespondText(exchange, 200, "ready\n");
  };
  EXPECT_EQ(ResultsOf(ready, 3), "+++");
  EXPECT_EQ(asked, "/.meridian/ready");
  EXPECT_NE(MetricsText(metrics_).find(
                R"(meridian_dns_probes_total{datacenter="us-east",result="miss"} 0)"),
            std::string::npos);
}

TEST_F(ProberTest, AnyOtherStatusIsAMiss) {
  int count = 0;
  auto draining = [&](http::Exchange& exchange) -> io::Task<void> {
    constexpr std::array<int, 4> kStatuses = {503, 404, 204, 200};
    (void)co_await http::RespondText(exchange, kStatuses[static_cast<size_t>(count++ % 4)], "x\n");
  };
  EXPECT_EQ(ResultsOf(draining, 4), "---+");
}

TEST_F(ProberTest, EdgeThatAnswersTooLateIsAMiss) {
  auto slow = [](http::Exchange& exchange) -> io::Task<void> {
    (void)co_await io::Sleep(seconds{100});
    (void)co_await http::RespondText(exchange, 200, "late\n");
  };
  EXPECT_EQ(ResultsOf(slow, 2), "--");
}

TEST_F(ProberTest, AnswerLongerThanAProbeTakesIsAMiss) {
  std::string text;
  auto answer = [&](http::Exchange& exchange) -> io::Task<void> {
    (void)co_await http::RespondText(exchange, 200, text);
  };
  text.assign(kMaxProbeAnswerBytes, 'x');
  EXPECT_EQ(ResultsOf(answer, 1), "+");
}

TEST_F(ProberTest, NobodyListeningIsAMiss) {
  auto run = [&]() -> io::Task<std::string> {
    auto listener = network_.Listen(kAnyPort, {}).value();
    Endpoint gone = listener->local();
    listener.reset();
    co_return co_await Results(gone, 2);
  };
  EXPECT_EQ(loop_.RunToEnd(run()), "--");
}

}  // namespace
}  // namespace meridian::dns
