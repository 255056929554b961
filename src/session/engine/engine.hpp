// Engine: executes requests one after the other on the keyspace, and writes their replies to the
// client's output. It also holds what commands need: watches, subscriptions, settings of CONFIG,
// the clients of CLIENT LIST. It never waits.
//
// Owned by the Server; one thread: the loop's. Invariant: between two requests the keyspace's
// change() is empty: all changes are in the journal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/random.hpp"
#include "session/data/key_listener.hpp"
#include "session/data/keyspace.hpp"
#include "session/engine/client.hpp"
#include "session/engine/command.hpp"
#include "session/engine/events.hpp"
#include "session/engine/subscriptions.hpp"
#include "session/engine/watches.hpp"
#include "session/limits.hpp"
#include "session/replication/acknowledgements.hpp"
#include "session/replication/change_journal.hpp"
#include "session/replication/log_interval.hpp"
#include "wire/resp/request_parser.hpp"

namespace meridian::session {

struct EngineOptions {
  Keyspace::Options keyspace;
  std::map<std::string, std::string, std::less<>>
      passwords;                // by user; empty: no password is asked for
  size_t max_memory_bytes = 0;  // 0: no limit
  size_t max_clients = kMaxClients;
  bool durable = false;
  uint16_t port = 0;
};

struct Statistics {
  uint64_t connections = 0;
  uint64_t refused_connections = 0;
  uint64_t unauthenticated_connections = 0;  // closed without authentication
  uint64_t http_connections = 0;             // closed for an HTTP request
  uint64_t commands = 0;
  uint64_t failed_commands = 0;
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t read_bytes = 0;
  uint64_t written_bytes = 0;
};

class Engine final : private KeyListener {
 public:
  struct Parts {
    const Clock& clock;
    HybridClock& hybrid_clock;
    ChangeJournal& journal;
  };
  Engine(const Parts& parts, EngineOptions options);
  ~Engine() override = default;

  // Before the requests of a batch: they are executed at this time.
  void BeginBatch() {
    keyspace_.SetNow(parts_.clock.Wall());
    keyspace_.FinishPrefetches();
  }
  // `key` will probably be needed by a request that was read.
  void Prefetch(std::string_view key) { keyspace_.Prefetch(key); }
  void FinishPrefetches() { keyspace_.FinishPrefetches(); }
  // Executes one request. Its reply, if any, is appended to the client's output.
  void Execute(Client& client, wire::resp::Arguments arguments);
  // Appends more of a long reply to the last request.
  void ContinueReply(Client& client);
  // Runs a command whose checks were made. In a transaction that is at EXEC, after it was queued.
  void Run(Client& client, const CommandSpec& spec, wire::resp::Arguments arguments,
           wire::resp::ReplyWriter& reply);
  // The writes that a command is about to do.
  struct WriteWanted {
    size_t bytes = 0;
    bool in_cache = false;
  };
  // Why a command with these flags, or a transaction of such commands, is refused. Empty: it is
  // not.
  std::string RefusalOf(uint32_t flags, WriteWanted wanted);
  // Appends what was changed to the journal: one change, applied whole or not at all.
  void Commit(Client& client);

  void AddClient(Client& client) { clients_[client.id] = &client; }
  void RemoveClient(Client& client);
  uint64_t NextClientId() { return ++last_client_id_; }

  // One loop iteration of removing expired keys and evicting. False: more work is left for the
  // next.
  bool Sweep();

  // Publishes a keyspace event, if its class is enabled.
  void Notify(EventClass event_class, std::string_view event, std::string_view key);

  Keyspace& keyspace() { return keyspace_; }
  Subscriptions& subscriptions() { return subscriptions_; }
  Watches& watches() { return watches_; }
  ChangeJournal& journal() { return parts_.journal; }
  // Null where there are no other data centers.
  Acknowledgements* acknowledgements() { return copies_; }
  void set_acknowledgements(Acknowledgements* acknowledgements) { copies_ = acknowledgements; }
  const EngineOptions& options() const { return options_; }
  const Clock& clock() const { return parts_.clock; }
  Statistics& statistics() { return statistics_; }
  Random& random() { return random_; }
  uint32_t& event_classes() { return event_classes_; }
  size_t& max_memory_bytes() { return options_.max_memory_bytes; }
  const std::map<uint64_t, Client*>& clients() const { return clients_; }
  TimePoint started_at() const { return started_at_; }
  // For commands that must count what they find before they write it.
  std::vector<std::string_view>& found() { return found_; }

 private:
  void OnModified(std::string_view key) override { watches_.Touch(key); }
  void OnNew(std::string_view key) override { Notify(kNewKeyEvent, "new", key); }
  void OnFlushing() override {
    watches_.TouchThose([this](std::string_view key) { return keyspace_.Peek(key) != nullptr; });
  }
  void OnExpired(std::string_view key) override { Notify(kExpiredEvent, "expired", key); }
  void OnEvicted(std::string_view key) override { Notify(kEvictedEvent, "evicted", key); }
  void ExecuteOne(Client& client, wire::resp::Arguments arguments);
  // Sends the messages that arrived during a reply, behind its end.
  void DeliverHeld(Client& client);
  // Whether the request may be executed. False: an error reply was written.
  bool Check(Client& client, const CommandSpec& spec, wire::resp::Arguments arguments,
             wire::resp::ReplyWriter& reply);
  bool CheckKeys(const CommandSpec& spec, wire::resp::Arguments arguments,
                 wire::resp::ReplyWriter& reply);
  bool HasMemoryFor(uint32_t flags, WriteWanted wanted);
  std::string RefusalWithin(uint32_t flags, WriteWanted wanted);
  WriteWanted WantedBy(const CommandSpec& spec, wire::resp::Arguments arguments) const;
  bool BeginWrite(wire::resp::ReplyWriter& reply);
  void Enqueue(Client& client, const CommandSpec& spec, wire::resp::Arguments arguments,
               wire::resp::ReplyWriter& reply);
  void RefuseUnknown(wire::resp::Arguments arguments, wire::resp::ReplyWriter& reply);
  void EndHttp(Client& client);

  Parts parts_;
  EngineOptions options_;
  Acknowledgements* copies_ = nullptr;
  Keyspace keyspace_;
  Subscriptions subscriptions_;
  Watches watches_;
  Random random_;
  Statistics statistics_;
  uint32_t event_classes_ = 0;
  std::map<uint64_t, Client*> clients_;
  uint64_t last_client_id_ = 0;
  TimePoint started_at_;
  std::vector<std::string_view> found_;
  std::string channel_;  // of an event
  LogInterval http_log_{kUnauthenticatedLogInterval};
};

}  // namespace meridian::session
