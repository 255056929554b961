// Engine: what commands work on: the keyspace, who watches and who listens, the settings that
// CONFIG shows, the clients that CLIENT lists. It executes requests one after the other and writes
// their replies to the client's output; it never waits.
//
// Owned by the Server; one thread: the loop's. Invariant: between two requests the keyspace's
// record is empty: what was changed is in the journal.
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
  std::map<std::string, std::string, std::less<>> passwords;  // by user; none: everybody may
  size_t max_memory_bytes = 0;                                // 0: no limit
  size_t max_clients = kMaxClients;
  bool durable = false;
  uint16_t port = 0;
};

struct Statistics {
  uint64_t connections = 0;
  uint64_t refused_connections = 0;
  uint64_t unauthenticated_connections = 0;  // closed because they had not authenticated
  uint64_t http_connections = 0;             // closed because an HTTP request came
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

  // Before the requests of a batch: what follows happens at this time.
  void BeginBatch() {
    keyspace_.SetNow(parts_.clock.Wall());
    keyspace_.FinishPrefetches();
  }
  // A guess of a key that requests to come will need.
  void Prefetch(std::string_view key) { keyspace_.Prefetch(key); }
  void FinishPrefetches() { keyspace_.FinishPrefetches(); }
  // Executes one request. Its reply, if any, is appended to the client's output.
  void Execute(Client& client, wire::resp::Arguments arguments);
  // Appends some more of the reply to the last request, which takes several turns.
  void ContinueReply(Client& client);
  // Executes a request of a transaction, whose checks were made when it was queued.
  void Run(Client& client, const CommandSpec& spec, wire::resp::Arguments arguments,
           wire::resp::ReplyWriter& reply);
  // What a command is about to write.
  struct WriteWanted {
    size_t bytes = 0;
    bool in_cache = false;
  };
  // Why a command with these flags, or a transaction of such, is not carried out; empty: it is.
  std::string RefusalOf(uint32_t flags, WriteWanted wanted);
  // Hands what was changed to the journal: one record, applied whole or not at all.
  void Commit(Client& client);

  void AddClient(Client& client) { clients_[client.id] = &client; }
  void RemoveClient(Client& client);
  uint64_t NextClientId() { return ++last_client_id_; }

  // One turn of what goes on beside requests. False: the next should come soon.
  bool Sweep();

  // Publishes a keyspace event, if it is wanted.
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
  // For commands that must know the count of what they find before they write it.
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
  // Messages that came within a reply, behind its end.
  void DeliverHeld(Client& client);
  // Whether the request may be executed; if not, the reply says why.
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
