// ServerExchange: an Exchange in HTTP/1.1 (RFC 9112). Private to http/; made by ServerConnection
// for each request, on its stack.
#pragma once

#include "http/exchange.hpp"
#include "http/message_writer.hpp"
#include "http/server/server_context.hpp"
#include "io/wait_queue.hpp"

namespace meridian::http {

class ServerExchange final : public Exchange {
 public:
  ServerExchange(ServerContext& context, io::Stream& stream, RequestMemory& memory);

  const wire::http::RequestHead& request() const override { return memory_.head; }
  io::Loop& loop() const override { return context_.loop; }
  Endpoint peer() const override { return stream_.peer(); }
  bool secure() const override { return context_.tls != nullptr; }
  io::Task<Result<Bytes>> ReadBody() override;
  std::optional<Bytes> BodyAtHand() override;
  const wire::http::HeaderFields& request_trailers() const override {
    return memory_.body.trailers();
  }
  io::Task<Result<void>> SendInterim(int status, wire::http::FieldsView fields) override;
  io::Task<Result<void>> Respond(Response response, Bytes body) override;
  Result<void> Start(const Response& response) override;
  io::Task<Result<void>> Flush() override;
  io::Task<Result<void>> Write(Bytes data) override;
  io::Task<Result<void>> Finish(Bytes last, wire::http::FieldsView trailers) override;
  void Break() override;
  io::Task<Result<Upgraded>> Upgrade(std::string_view protocol,
                                     wire::http::FieldsView fields) override;

  void set_first_on_connection(bool first) { first_on_connection_ = first; }

  // Called by the connection after the handler: sends an answer if the handler sent none, and reads
  // the rest of the body. True when another request may follow.
  io::Task<bool> End();
  // After End: an answer was sent, and the client may still be sending.
  bool wants_linger() const { return !broken_ && !upgraded_; }
  int answered_status() const override { return writer_.complete() ? status_ : 0; }
  bool upgraded() const { return upgraded_; }
  uint64_t sent_bytes() const override { return writer_.sent_bytes() + interim_bytes_; }

 private:
  io::Task<Result<void>> SendContinue();
  io::Task<Result<void>> WaitForInterim();
  io::Task<bool> DiscardBody();
  wire::http::BodyFraming FramingOf(const Response& response) const;
  bool MayKeepAlive(bool leaves_body) const;
  int FailureStatus() const;

  ServerContext& context_;
  io::Stream& stream_;
  RequestMemory& memory_;
  MessageWriter writer_;
  io::WaitQueue interim_done_;  // writers that wait while a 1xx is being written
  std::optional<Errc> body_error_;
  uint64_t interim_bytes_ = 0;
  bool body_begun_ = false;  // ReadBody was called
  bool continue_sent_ = false;
  bool interim_writing_ = false;
  bool keep_alive_;
  bool until_close_ = false;
  bool broken_ = false;
  bool upgraded_ = false;
};

}  // namespace meridian::http
