// ClientHandler: executes the requests of one client. Batches are checked, and responses encoded,
// on the connection's loop; the broker is called on the main loop.
//
// Owned by its Connection; one thread: the connection's loop. The broker and its scope outlive it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "queue/server/broker.hpp"
#include "queue/server/connection.hpp"
#include "queue/server/response.hpp"
#include "queue/server/server_metrics.hpp"
#include "wire/kafka/frame.hpp"

namespace meridian::queue {

class ClientHandler final : public RequestHandler {
 public:
  struct Parts {
    Broker& broker;
    io::Scope& broker_scope;  // of the main loop
    ServerMetrics& metrics;   // of the connection's loop
    bool from_peer = false;   // another data center's queue
  };
  ClientHandler(const Parts& parts, std::string client_host);

  bool MayOverlap(Bytes frame) const override;
  io::Task<Result<std::optional<Response>>> Handle(RequestFrame frame) override;
  void StopWaiting() override;

 private:
  using Handled = io::Task<Result<std::optional<Response>>>;
  // Of a request that begins now.
  std::shared_ptr<Cancellation> NewCancellation();
  Handled Produce(const wire::kafka::RequestHeader& header);
  Handled Fetch(const wire::kafka::RequestHeader& header, RequestFrame& frame);
  Handled Answer(const wire::kafka::RequestHeader& header, RequestFrame& frame);

  Parts parts_;
  const std::string client_host_;
  bool stopped_ = false;
  std::shared_ptr<Cancellation>
      cancellation_;  // of the request that may wait long; null: there is none
};

}  // namespace meridian::queue
