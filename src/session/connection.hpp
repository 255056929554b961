// Connection: one client's connection: reads what has come, executes all whole requests in it, and
// sends their replies in one write, once what they have changed is durable. Requests are parsed
// where they were read, in a buffer that all connections share; only what is left of an incomplete
// one is kept, so that an idle connection holds no input.
//
// Owned by the fiber that the Server spawned for it; one thread: the loop's. Invariants: one fiber
// sends at a time; replies are in the order of their requests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/wait_queue.hpp"
#include "session/command_metrics.hpp"
#include "session/engine/client.hpp"
#include "session/engine/engine.hpp"
#include "session/unauthenticated.hpp"
#include "wire/resp/request_parser.hpp"

namespace meridian::session {

class Connection final : private ClientConnection {
 public:
  struct Parts {
    io::Loop& loop;
    Engine& engine;
    UnauthenticatedConnections& unauthenticated;
    MutableBytes shared_input;          // of all connections of the loop; free between two awaits
    CommandMetrics* metrics = nullptr;  // may be null
  };
  Connection(const Parts& parts, std::unique_ptr<io::Stream> stream);
  ~Connection();

  // Serves until the client or the server ends it.
  io::Task<void> Run();
  // Ends it as soon as it is idle: what has come is answered first.
  void Leave();
  // Ends it when the requests that are being executed are answered; nothing more is begun.
  void Cut();
  // Ends it, as it has not authenticated and its place is wanted: with an error, if that can be
  // sent at once.
  void EndUnauthenticated(std::string_view error);
  const std::string& peer() const { return client_.address; }
  // It was ended so; its place is another connection's.
  bool ended_unauthenticated() const { return ended_unauthenticated_; }

 private:
  void OnMessages() override;
  void Disconnect() override;
  io::Task<void> Serve();
  // Reads what is there, behind the input or, while that is empty, to where `arrived` says. False:
  // the connection is over.
  bool Read(Bytes* arrived);
  // Whether what has arrived should wait for the others of this turn.
  bool IsWorthStaging(Bytes arrived) const;
  // Executes what has arrived, and keeps the rest.
  bool ExecuteArrived(Bytes arrived);
  // Executes the whole requests in `input`, while there is room for replies; what was used.
  size_t Execute(std::string_view input);
  // Has the keys of some requests fetched; the bytes of those.
  size_t Prefetch(std::string_view input);
  void RefuseRequest(const wire::resp::RequestOutcome& outcome);
  // The client has shown a password, or has taken that back (RESET).
  void NoteAuthentication();
  // The usual case, without waiting: true when all is sent.
  bool SendAtOnce();
  // Sends all that is in the output. False: it cannot be sent.
  io::Task<bool> Send();
  // The same, and behind it what is left of a long reply, or the reply to a WAIT.
  io::Task<bool> Answer();
  io::Task<bool> SendOnce();
  io::Task<void> SendMessages();
  io::Task<void> AwaitCopies(TimePoint deadline);
  // Whether nothing has come that is not answered, not even in part.
  bool Idle() { return input_.empty() && !stream_->AskReadable(); }
  io::Task<void> Linger();

  Parts parts_;
  std::unique_ptr<io::Stream> stream_;
  Client client_;
  wire::resp::RequestParser parser_;
  Buffer input_;
  Output sending_{kMaxReplyBytes};
  size_t prefetched_ = 0;      // bytes at the front of the input whose keys are asked for
  bool sends_ = false;         // a fiber is in SendOnce
  bool failed_ = false;        // nothing can be sent any more
  bool authenticated_ = true;  // as the parser's limits have it
  bool ended_unauthenticated_ = false;
  UnauthenticatedConnections::Place place_;  // while it is not authenticated
  bool has_messenger_ = false;
  bool leaving_ = false;
  bool reads_ = false;  // waits for requests
  size_t copies_ = 0;   // that the last WAIT has found
  io::WaitQueue sent_;
  io::WaitQueue messages_;
  io::Scope messengers_;
  io::Scope waiting_;  // the WAIT
};

}  // namespace meridian::session
