#include "agent/logs/log_forwarder.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/agent_world.hpp"
#include "agent/limits.hpp"
#include "base/bytes.hpp"
#include "base/metrics_text.hpp"
#include "http/server/server.hpp"
#include "io/scope.hpp"
#include "site/tier/output_frame.hpp"
#include "site/tier_description.hpp"
#include "site/trust/bearer.hpp"

namespace meridian::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// What a tier does with a connection.
enum class Manner : uint8_t {
  kTakes,    // all frames
  kHangs,    // reads nothing
  kForgets,  // reads, and ends the connection without a word of what it has taken
};

// A tier that the forwarder connects to.
class TierOfTest {
 public:
  TierOfTest(AgentWorld& world, site::Secret password)
      : world_(world),
        password_(std::move(password)),
        server_(world.loop_, {}, [this](http::Exchange& exchange) { return Serve(exchange); }) {}

  void Listen(uint16_t port) {
    server_.Serve(std::move(*world_.network_.Listen({IpAddress::V4(127, 0, 0, 1), port}, {})));
  }
  io::Task<void> Stop() {
    stopping_ = true;
    stop_.WakeAll();
    for (io::Stream* stream : streams_) stream->Close();
    co_await server_.Drain(world_.loop_.Now());
  }

  Manner manner = Manner::kTakes;
  int refusals = 0;  // with a 503 until it accepts
  // By instance: its bytes, and "[dropped]" and "[end]".
  std::map<std::string, std::string> output;
  std::map<std::string, site::OutputOrigin> origins;
  uint64_t dropped_bytes = 0;
  int connections = 0;
  io::WaitQueue changed;

 private:
  io::Task<void> Serve(http::Exchange& exchange) {
    EXPECT_TRUE(site::ShowsSecret(exchange.request().fields, password_));
    EXPECT_EQ(exchange.request().path, site::kOutputPath);
    if (refusals > 0) {
      --refusals;
      (void)co_await http::RespondText(exchange, 503, "not yet\n");
      co_return;
    }
    auto upgraded = co_await exchange.Upgrade(site::kOutputProtocol, {});
    if (!upgraded) co_return;
    ++connections;
    streams_.push_back(&upgraded->stream);
    co_await Read(upgraded->stream);
    std::erase(streams_, &upgraded->stream);
  }

  io::Task<void> Read(io::Stream& stream) {
    Buffer in(2 * site::kMaxOutputFrameBytes);
    std::map<uint32_t, std::string> instances;
    uint64_t taken = 0;
    while (manner == Manner::kHangs && !stopping_) {
      changed.WakeAll();
      (void)co_await stop_.Wait();
    }
    while (auto got = co_await stream.Read(in.Prepare(16384))) {
      if (*got == 0) co_return;
      in.Commit(*got);
      const size_t before = in.size();
      while (auto frame = *site::TakeOutputFrame(in)) Take(*frame, instances);
      taken += before - in.size();
      changed.WakeAll();
      if (manner == Manner::kForgets) co_return;
      const std::string text = site::EncodeTaken(taken);
      if (!co_await stream.Write(AsBytes(text))) co_return;
    }
  }

  void Take(const site::OutputFrame& frame, std::map<uint32_t, std::string>& instances) {
    if (frame.kind == site::OutputKind::kOrigin) {
      instances[frame.source] = frame.origin.instance;
      origins[frame.origin.instance] = frame.origin;
      return;
    }
    std::string& text = output[instances.at(frame.source)];
    if (frame.kind == site::OutputKind::kBytes) text += frame.bytes;
    if (frame.kind == site::OutputKind::kEnd) text += "[end]";
    if (frame.kind == site::OutputKind::kDropped) text += "[dropped]";
    dropped_bytes += frame.dropped_bytes;
  }

  AgentWorld& world_;
  site::Secret password_;
  http::Server server_;
  std::vector<io::Stream*> streams_;
  io::WaitQueue stop_;
  bool stopping_ = false;
};

class LogForwarderTest : public testing::Test {
 protected:
  LogForwarderTest() {
    world_.site_.tiers.push_back({.name = "watch", .ports = {{.port = &site::Ports::watch}}});
    world_.site_.app.release = "r7";
    // The world's port is free at this address.
    world_.site_.ports.watch = world_.site_.ports.admin;
    context_.emplace(world_.MakeContext());
    context_->watch_password = site::Secret("secret");
    tier_ = std::make_unique<TierOfTest>(world_, site::Secret("secret"));
    logs_.emplace(*context_, metrics_);
  }

  // Runs `test` beside the forwarder and the tier.
  void Run(std::function<io::Task<void>()> test) {
    auto all = [&]() -> io::Task<void> {
      io::Scope scope(world_.loop_);
      scope.Spawn(logs_->Run());
      co_await test();
      co_await tier_->Stop();
      scope.Cancel();
      co_await scope.Join();
    };
    world_.loop_.RunToEnd(all());
  }

  // Until `holds`, which is asked whenever the tier has read something.
  io::Task<void> Until(std::function<bool()> holds) {
    const TimePoint deadline = world_.loop_.After(20s);
    while (!holds()) {
      Result<void> changed = co_await tier_->changed.Wait(deadline);
      EXPECT_TRUE(changed) << "the tier waits in vain";
      if (!changed) break;
    }
  }

  void Listen() { tier_->Listen(world_.site_.ports.watch); }
  std::string Shown() const { return MetricsText(metrics_); }

  AgentWorld world_;
  Metrics metrics_;
  std::optional<Context> context_;
  std::unique_ptr<TierOfTest> tier_;
  std::optional<LogForwarder> logs_;
};

TEST_F(LogForwarderTest, TheTierGetsOutputWithItsOriginInOrder) {
  Listen();
  Run([&]() -> io::Task<void> {
    OutputSource& app = logs_->AddSource({.tier = "app", .instance = "us-east-1"});
    OutputSource& worker =
        logs_->AddSource({.tier = "worker", .name = "mail", .instance = "us-east.mail-1"});
    app.Append("one\n");
    worker.Append("two\n");
    app.Append("three\n");
    app.End();
    co_await Until([&] { return tier_->output["us-east-1"].ends_with("[end]"); });
    co_await logs_->Flush(world_.loop_.After(20s));
  });
  EXPECT_EQ(tier_->output["us-east-1"], "one\nthree\n[end]");
  EXPECT_EQ(tier_->output["us-east.mail-1"], "two\n");
  EXPECT_EQ(tier_->origins["us-east.mail-1"].name, "mail");
  EXPECT_EQ(tier_->origins["us-east.mail-1"].release, "r7");
  EXPECT_THAT(Shown(), HasSubstr("meridian_agent_output_buffered_bytes 0\n"));
}

TEST_F(LogForwarderTest, OutputWaitsForATierThatIsNotThereYet) {
  tier_->refusals = 2;
  Run([&]() -> io::Task<void> {
    OutputSource& app = logs_->AddSource({.tier = "app", .instance = "us-east-1"});
    app.Append("early\n");
    co_await logs_->Flush(world_.loop_.After(200ms));
    EXPECT_THAT(Shown(), Not(HasSubstr("meridian_agent_output_buffered_bytes 0\n")));
    Listen();
    co_await Until([&] { return tier_->output["us-east-1"] == "early\n"; });
  });
}

TEST_F(LogForwarderTest, WhatATierTookWithoutSayingSoIsSentToTheNext) {
  tier_->manner = Manner::kForgets;
  Listen();
  Run([&]() -> io::Task<void> {
    OutputSource& app = logs_->AddSource({.tier = "app", .instance = "us-east-1"});
    app.Append("line\n");
    co_await Until([&] { return tier_->output["us-east-1"] == "line\n"; });
    tier_->manner = Manner::kTakes;
    app.Append("next\n");
    co_await Until([&] { return tier_->output["us-east-1"].ends_with("next\n"); });
    co_await logs_->Flush(world_.loop_.After(20s));
  });
  EXPECT_EQ(tier_->output["us-east-1"], "line\nline\nnext\n");
  EXPECT_GE(tier_->connections, 2);
}

TEST_F(LogForwarderTest, ATierThatHangsCostsNoMoreThanTheShareOfEachSource) {
  tier_->manner = Manner::kHangs;
  Listen();
  constexpr size_t kFloodBytes = 3 * kMaxSourceBufferBytes;
  Run([&]() -> io::Task<void> {
    OutputSource& flood = logs_->AddSource({.tier = "app", .instance = "flood"});
    OutputSource& quiet = logs_->AddSource({.tier = "app", .instance = "quiet"});
    const std::string line = std::string(99, 'x') + "\n";
    for (size_t sent = 0; sent < kFloodBytes; sent += line.size()) flood.Append(line);
    quiet.Append("heard\n");
    EXPECT_THAT(Shown(), Not(HasSubstr("dropped_bytes_total{reason=\"buffer\"} 0\n")));
    tier_->manner = Manner::kTakes;
    co_await tier_->Stop();  // it is killed, and its successor comes
    tier_ = std::make_unique<TierOfTest>(world_, site::Secret("secret"));
    Listen();
    co_await Until([&] { return tier_->output["quiet"] == "heard\n"; });
    co_await Until([&] { return tier_->output["flood"].ends_with("[dropped]"); });
    co_await logs_->Flush(world_.loop_.After(20s));
  });
  // Not a byte is lost that is not counted.
  const std::string& kept = tier_->output["flood"];
  EXPECT_EQ(kept.size() - std::string("[dropped]").size() + tier_->dropped_bytes,
            kFloodBytes / 100 * 100 + (kFloodBytes % 100 == 0 ? 0 : 100));
  EXPECT_GT(kept.size(), kMaxSourceBufferBytes / 2);
}

TEST_F(LogForwarderTest, WhatIsDroppedPastAQuotaIsToldInItsPlace) {
  Listen();
  Run([&]() -> io::Task<void> {
    OutputSource& app = logs_->AddSource({.tier = "app", .instance = "us-east-1"});
    app.Append("a\n");
    app.Drop("b\nc\n");
    app.Append("d\n");
    co_await Until([&] { return tier_->output["us-east-1"].ends_with("d\n"); });
  });
  EXPECT_EQ(tier_->output["us-east-1"], "a\n[dropped]d\n");
  EXPECT_THAT(Shown(), HasSubstr("dropped_lines_total{reason=\"quota\"} 2\n"));
}

TEST_F(LogForwarderTest, WithoutAWatchTierNothingIsKept) {
  world_.site_.tiers.clear();
  Metrics metrics;
  LogForwarder none(*context_, metrics);
  auto all = [&]() -> io::Task<void> {
    OutputSource& app = none.AddSource({.tier = "app", .instance = "us-east-1"});
    app.Append("line\n");
    co_await none.Flush(world_.loop_.After(20s));
    co_await none.Run();
  };
  world_.loop_.RunToEnd(all());
  EXPECT_THAT(MetricsText(metrics), HasSubstr("meridian_agent_output_buffered_bytes 0\n"));
}

}  // namespace
}  // namespace meridian::agent
