// ClientExchange: one request that was sent and its response. Made by Client::Send; when it goes,
// its connection goes back to the client's pool if the exchange came to a clean end, else it is
// closed. One thread; one fiber may write the request's body while another reads the response.
#pragma once

#include <memory>

#include "http/client/client_connection.hpp"
#include "http/exchange.hpp"
#include "io/loop.hpp"

namespace meridian::http {

class Client;

class ClientExchange {
 public:
  ClientExchange(ClientExchange&& other) noexcept = default;
  ClientExchange& operator=(ClientExchange&& other) = delete;
  ~ClientExchange();

  // The request's body, when Request::body announced one that Request::content was not.
  // kInvalid: another length than announced. Errors of the stream: the response may still come.
  io::Task<Result<void>> Write(Bytes data);
  io::Task<Result<void>> Finish(Bytes last, wire::http::FieldsView trailers);

  // The next response head, valid until the next call or the end of the exchange. While it
  // is_interim() another follows. Errors: kInvalid (malformed), kTooLarge, kReset (the connection
  // ended first), kTimeout (the limits' head_timeout is over; or `until` has come first: then it
  // may be called again and waits on).
  io::Task<Result<const wire::http::ResponseHead*>> ReadHead(TimePoint until = kNever);
  const wire::http::ResponseHead& head() const;

  // After the final head: the next bytes of the body, in the connection's buffer until the next
  // call; empty at the end. kReset: the body was cut off. A body that the end of the connection
  // ends (head().body is kUntilClose) may have been cut off unnoticed.
  io::Task<Result<Bytes>> ReadBody();
  // Body bytes that are there without waiting; empty when there are none, also at the end.
  Result<Bytes> BodyAtHand();
  // What was given out last was the end of the body.
  bool body_ended() const;
  const wire::http::HeaderFields& trailers() const;

  // After a 101: the connection, until the exchange goes.
  Upgraded TakeUpgraded();

  // Breaks the connection off; who waits on the exchange gets kClosed.
  void Abort();

  // The connection had carried a request before this one: a failure before the first response byte
  // may only mean that the server had just closed it.
  bool reused() const;

  // Keeps `what` until the exchange is gone: a place at the server, say.
  void Keep(std::shared_ptr<void> what);

 private:
  friend class Client;

  // What must not move: tasks of several fibers refer to it.
  struct State;
  struct StateDeleter {
    void operator()(State* state) const;
  };
  explicit ClientExchange(std::unique_ptr<State, StateDeleter> state);

  std::unique_ptr<State, StateDeleter> state_;
};

}  // namespace meridian::http
