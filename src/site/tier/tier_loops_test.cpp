// A tier's process with several loops.
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <latch>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "http/client/client.hpp"
#include "http/client/fetch.hpp"
#include "http/exchange.hpp"
#include "http/server/server.hpp"
#include "io/fd.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "io/threads/per_loop.hpp"
#include "site/site.hpp"
#include "site/tier/internal_fields.hpp"
#include "site/tier/tier_loop.hpp"
#include "site/tier/tier_process.hpp"

namespace meridian::site {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const IpAddress kHost = IpAddress::V4(127, 0, 0, 1);

// The part of one loop: answers every request with the number of its loop.
class Part {
 public:
  Part(const TierLoop& on, std::vector<std::unique_ptr<io::Listener>> listeners)
      : on_(on),
        answers_(on.metrics.AddCounter("test_answers_total", "Answers.")),
        server_(on.loop, {}, [this](http::Exchange& exchange) { return Answer(exchange); }) {
    for (auto& listener : listeners) server_.Serve(std::move(listener));
  }

  io::Task<void> Drain() { return server_.Drain(on_.loop.After(seconds{10})); }

 private:
  io::Task<void> Answer(http::Exchange& exchange) {
    EXPECT_EQ(std::this_thread::get_id(), made_on_);
    answers_.Add();
    (void)co_await http::RespondText(exchange, 200, std::to_string(on_.index));
  }

  const TierLoop on_;
  const std::thread::id made_on_ = std::this_thread::get_id();
  Counter& answers_;
  http::Server server_;
};

// A tier with three loops, and clients on the first. It ends when the client of the test is done.
class TierWithLoops {
 public:
  static constexpr size_t kLoops = 3;
  using Client = std::function<io::Task<void>(TierWithLoops&)>;

  explicit TierWithLoops(Client client) : client_(std::move(client)) {
    site_.datacenters = {{.name = "us-east", .address = kHost, .public_addresses = {kHost}}};
    io::Fd ops = io::OpenListeningSocket({kHost, 0}, {}).value();
    io::Fd http = io::OpenListeningSocket({kHost, 0}, {}).value();
    ops_ = io::LocalEndpoint(ops.get());
    http_ = io::LocalEndpoint(http.get());
    process_ = std::make_unique<TierProcess>(
        site_,
        TierStart{.tier = "test",
                  .data_center = "us-east",
                  .sockets = {{"ops", ops.Release()}, {"http", http.Release()}}},
        kLoops);
    parts_ = std::make_unique<io::PerLoop<Part>>(process_->scopes());
  }

  int Run() {
    return process_->Run({.start = [this] { return Start(); },
                          .drain = [this](Duration) { return Drain(); },
                          .end = [this] { return parts_->Destroy(); },
                          .hung_thread = [this] { return hung_thread; },
                          .end_timeout = end_timeout});
  }

  std::string hung_thread;
  Duration end_timeout = kEndTimeout;

  TierProcess& process() { return *process_; }
  Endpoint http() const { return http_; }
  // What the ops port answers to GET `path` within `timeout`.
  io::Task<Result<http::Fetched>> AskOps(std::string path, Duration timeout) {
    http::Client client(process_->loop(), process_->network(), {.address = ops_});
    http::Request request{.path = path, .host = "ops"};
    co_return co_await http::Fetch(client, request, kMaxBody, process_->loop().After(timeout));
  }

 private:
  static constexpr size_t kMaxBody = 1 << 20;

  io::Task<Result<void>> Start() {
    auto listeners = process_->ListenForVisitorsOnLoops("http", http_.port);
    if (!listeners) co_return Fail(std::move(listeners.error()));
    co_await parts_->Make([&](size_t index) {
      return std::make_unique<Part>(process_->OnLoop(index), std::move((*listeners)[index]));
    });
    process_->scope().Spawn(RunClient());
    co_return Result<void>{};
  }
  io::Task<void> RunClient() {
    co_await client_(*this);
    kill(getpid(), SIGTERM);
  }
  io::Task<void> Drain() {
    return parts_->ForEach([](Part& part) { return part.Drain(); });
  }

  Client client_;
  Site site_;
  Endpoint ops_;
  Endpoint http_;
  std::unique_ptr<TierProcess> process_;
  std::unique_ptr<io::PerLoop<Part>> parts_;
};

TEST(TierLoops, ConnectionsAreSpreadOverTheLoopsAndMetricsAreSummed) {
  TierWithLoops tier([](TierWithLoops& of) -> io::Task<void> {
    TierProcess& process = of.process();
    std::vector<std::unique_ptr<http::Client>> clients;
    std::multiset<std::string> answers;
    for (size_t i = 0; i < 2 * TierWithLoops::kLoops; ++i) {
      clients.push_back(std::make_unique<http::Client>(process.loop(), process.network(),
                                                       http::Upstream{.address = of.http()}));
      auto answer = co_await http::Fetch(*clients.back(), {.path = "/", .host = "test"}, 16,
                                         process.loop().After(seconds{10}));
      if (answer) answers.insert(answer->body);
    }
    EXPECT_THAT(answers, testing::ElementsAre("0", "0", "1", "1", "2", "2"));
    auto metrics = co_await of.AskOps("/metrics", seconds{10});
    EXPECT_TRUE(metrics);
    EXPECT_THAT(metrics->body, testing::HasSubstr("test_answers_total 6\n"));
  });
  EXPECT_EQ(tier.Run(), 0);
}

TEST(TierLoops, ALoopThatHangsLeavesTheProbeOfReadinessWithoutAnAnswer) {
  std::latch goes_on(1);  // outlives the loop that waits for it
  TierWithLoops tier([&goes_on](TierWithLoops& of) -> io::Task<void> {
    auto ready = co_await of.AskOps(std::string(kReadyPath), seconds{10});
    EXPECT_TRUE(ready);
    EXPECT_EQ(ready->status, 200);
    of.process().OnLoop(2).loop.Post([&] { goes_on.wait(); });
    auto hung = co_await of.AskOps(std::string(kReadyPath), milliseconds{50});
    EXPECT_FALSE(hung);
    EXPECT_EQ(hung.error().code, Errc::kTimeout);
    goes_on.count_down();
    ready = co_await of.AskOps(std::string(kReadyPath), seconds{10});
    EXPECT_TRUE(ready);
  });
  EXPECT_EQ(tier.Run(), 0);
}

TEST(TierLoops, AThreadOfTheTierThatHangsLeavesTheProbeWithoutAnAnswerToo) {
  TierWithLoops tier([](TierWithLoops& of) -> io::Task<void> {
    of.hung_thread = "udp-2";
    auto hung = co_await of.AskOps(std::string(kReadyPath), milliseconds{50});
    EXPECT_FALSE(hung);
    of.hung_thread.clear();
    auto ready = co_await of.AskOps(std::string(kReadyPath), seconds{10});
    EXPECT_TRUE(ready);
  });
  EXPECT_EQ(tier.Run(), 0);
}

TEST(TierLoops, ProbesThatGaveUpLeaveTheOpsPortOpen) {
  std::latch goes_on(1);  // outlives the loop that waits for it
  TierWithLoops tier([&goes_on](TierWithLoops& of) -> io::Task<void> {
    of.process().OnLoop(1).loop.Post([&] { goes_on.wait(); });
    io::Scope asking(of.process().loop());
    for (size_t i = 0; i < 2 * kMaxOpsConnections; ++i) {
      asking.Spawn([](TierWithLoops& at) -> io::Task<void> {
        (void)co_await at.AskOps(std::string(kReadyPath), milliseconds{20});
      }(of));
    }
    co_await asking.Join();
    auto metrics = co_await of.AskOps("/metrics", seconds{20});
    EXPECT_TRUE(metrics);
    EXPECT_EQ(metrics->status, 200);
    goes_on.count_down();
  });
  EXPECT_EQ(tier.Run(), 0);
}

TEST(TierLoopsDeathTest, AProcessWithALoopThatHangsEndsAllTheSame) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto run = [] {
    std::latch never(1);
    TierWithLoops tier([&](TierWithLoops& of) -> io::Task<void> {
      of.process().OnLoop(1).loop.Post([&] { never.wait(); });
      co_return;
    });
    tier.end_timeout = milliseconds{100};
    tier.Run();
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(EXIT_FAILURE), "a thread hangs");
}

}  // namespace
}  // namespace meridian::site
