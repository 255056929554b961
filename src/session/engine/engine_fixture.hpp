// For tests: an Engine with a clock of the test's and clients whose connections are strings.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "session/engine/client.hpp"
#include "session/engine/engine.hpp"
#include "session/replication/change_journal.hpp"
#include "wire/resp/request_parser.hpp"

namespace meridian::session {

// A journal that keeps all changes, and whose disk the test fills.
class TestJournal final : public ChangeJournal {
 public:
  bool wants_changes() const override { return true; }
  std::string refusal() const override { return problem; }
  uint64_t Append(Bytes record) override {
    records.emplace_back(AsText(record));
    return records.size();
  }
  uint64_t durable_end_offset() const override { return records.size(); }
  io::Task<Result<void>> AwaitDurable(uint64_t /*offset*/) override { co_return Result<void>{}; }

  std::vector<std::string> records;
  std::string problem;
};

class EngineFixture {
 public:
  class TestClient final : public ClientConnection {
   public:
    TestClient(Engine& engine) : engine_(engine), client_(engine.NextClientId(), *this) {
      client_.authenticated = engine.options().passwords.empty();
      engine_.AddClient(client_);
    }
    virtual ~TestClient() { engine_.RemoveClient(client_); }
    TestClient(const TestClient&) = delete;
    TestClient& operator=(const TestClient&) = delete;

    // Executes a request as it is typed; the reply, with '|' for line ends.
    std::string Say(std::string_view line) {
      wire::resp::RequestParser parser;
      std::string input = std::string(line) + "\r\n";
      EXPECT_EQ(parser.Parse(input).state, wire::resp::RequestOutcome::State::kDone) << line;
      engine_.BeginBatch();
      engine_.Execute(client_, parser.arguments());
      while (client_.long_reply) engine_.ContinueReply(client_);
      return Heard();
    }
    // What has come without being asked for.
    std::string Heard() {
      std::string text;
      for (char c : client_.output.text()) {
        if (c == '\n') continue;
        text += c == '\r' ? '|' : c;
      }
      client_.output.Consume(client_.output.size());
      return text;
    }
    Client& client() { return client_; }
    bool disconnected() const { return disconnected_; }

   private:
    void OnMessages() override {}
    void Disconnect() override { disconnected_ = true; }

    Engine& engine_;
    Client client_;
    bool disconnected_ = false;
  };

  explicit EngineFixture(EngineOptions options = {}) {
    options.keyspace.journaled = true;
    options.keyspace.seed = 7;
    engine = std::make_unique<Engine>(Engine::Parts{wall, clock, journal}, std::move(options));
    client = std::make_unique<TestClient>(*engine);
  }

  std::string Say(std::string_view line) { return client->Say(line); }
  std::unique_ptr<TestClient> Connect() { return std::make_unique<TestClient>(*engine); }

  ManualClock wall;
  HybridClock clock{wall, std::chrono::seconds{5}};
  TestJournal journal;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<TestClient> client;
};

}  // namespace meridian::session
