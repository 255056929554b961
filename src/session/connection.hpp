// Connection: one client's connection. Reads requests, executes all whole ones, and sends their
// replies in one write, once their changes are durable. Requests are parsed where they were read,
// in a buffer that all connections share; only the rest of an incomplete request is kept, so that
// an idle connection holds no input.
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
  // Closes it as soon as it is idle: requests that have arrived are answered first.
  void Leave();
  // Closes it when the requests that are being executed are answered; no further request is begun.
  void Cut();
  // Closes it to make room, as it has not authenticated. The error is sent if that needs no
  // waiting.
  void EndUnauthenticated(std::string_view error);
  const std::string& peer() const { return client_.address; }
  // It was closed by EndUnauthenticated; the connection that took its place is counted.
  bool ended_unauthenticated() const { return ended_unauthenticated_; }

 private:
  void OnMessages() override;
  void Disconnect() override;
  io::Task<void> Serve();
  // Reads available bytes, behind the input or, while that is empty, to where `arrived` says.
  // False: the connection is closed.
  bool Read(Bytes* arrived);
  // Whether the bytes should wait until the other connections of this loop iteration are read.
  bool IsWorthStaging(Bytes arrived) const;
  // Executes the requests in `arrived`, and keeps the rest.
  bool ExecuteArrived(Bytes arrived);
  // Executes the whole requests in `input`, while there is room for replies; the bytes it used.
  size_t Execute(std::string_view input);
  // Prefetches the keys of some requests; the bytes of those requests.
  size_t Prefetch(std::string_view input);
  void RefuseRequest(const wire::resp::RequestOutcome& outcome);
  // The client has authenticated, or has reset that (RESET).
  void NoteAuthentication();
  // The usual case, without waiting. True: all is sent.
  bool SendAtOnce();
  // Sends all that is in the output. False: it cannot be sent.
  io::Task<bool> Send();
  // The same, and then the rest of a long reply, or the reply to a WAIT.
  io::Task<bool> Answer();
  io::Task<bool> SendOnce();
  io::Task<void> SendMessages();
  io::Task<void> AwaitAcknowledgements(TimePoint deadline);
  // Whether no request, not even a part of one, waits for an answer.
  bool Idle() { return input_.empty() && !stream_->AskReadable(); }
  io::Task<void> Linger();

  Parts parts_;
  std::unique_ptr<io::Stream> stream_;
  Client client_;
  wire::resp::RequestParser parser_;
  Buffer input_;
  Output sending_{kMaxReplyBytes};
  size_t prefetched_ = 0;      // bytes at the front of the input whose keys are prefetched
  bool sends_ = false;         // a fiber is in SendOnce
  bool failed_ = false;        // sending has failed
  bool authenticated_ = true;  // selects the limits of the parser
  bool ended_unauthenticated_ = false;
  UnauthenticatedConnections::Arrival arrival_;  // while it is not authenticated
  bool has_messenger_ = false;
  bool leaving_ = false;
  bool reads_ = false;           // waits for requests
  size_t acknowledgements_ = 0;  // that the last WAIT has counted
  io::WaitQueue sent_;
  io::WaitQueue messages_;
  io::Scope messengers_;
  io::Scope waiting_;  // the WAIT
};

}  // namespace meridian::session
