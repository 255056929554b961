// ClientExchange: one sent request and its response. Made by Client::Send. Its destructor returns
// the connection to the client's pool if the exchange ended cleanly, else closes it. One thread;
// one fiber may write the request's body while another reads the response.
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

  // Writes the request's body, when Request::body announced a body and Request::content was empty.
  // kInvalid: the length differs from the announced one. After an error of the stream the response
  // may still arrive.
  io::Task<Result<void>> Write(Bytes data);
  io::Task<Result<void>> Finish(Bytes last, wire::http::FieldsView trailers);

  // The next response head, valid until the next call or the end of the exchange. After a head that
  // is_interim(), another follows. Errors: kInvalid (malformed), kTooLarge, kReset (the connection
  // ended first), kTimeout (the limits' head_timeout has passed; or `until` has, and then ReadHead
  // may be called again).
  io::Task<Result<const wire::http::ResponseHead*>> ReadHead(TimePoint until = kNever);
  const wire::http::ResponseHead& head() const;

  // After the final head: the next bytes of the body, in the connection's buffer until the next
  // call; empty at the end. kReset: the body was cut off. With body framing kUntilClose a cut may
  // be invisible.
  io::Task<Result<Bytes>> ReadBody();
  // Body bytes that are available without waiting; empty when there are none, also at the end.
  Result<Bytes> BodyAtHand();
  // Whether the last returned bytes ended the body.
  bool body_ended() const;
  const wire::http::HeaderFields& trailers() const;

  // After a 101: the connection, valid until the exchange is destroyed.
  Upgraded TakeUpgraded();

  // Aborts the connection; operations that wait on the exchange end with kClosed.
  void Abort();

  // Whether the connection carried a request before this one. If so, a failure before the first
  // response byte may mean only that the server closed the idle connection.
  bool reused() const;

  // Keeps `what` until the exchange is destroyed: a reserved slot at the server, say.
  void Keep(std::shared_ptr<void> what);

 private:
  friend class Client;

  // The part that must not move, because tasks of several fibers refer to it.
  struct State;
  struct StateDeleter {
    void operator()(State* state) const;
  };
  explicit ClientExchange(std::unique_ptr<State, StateDeleter> state);

  std::unique_ptr<State, StateDeleter> state_;
};

}  // namespace meridian::http
