#include "io/sim/network.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/net/datagram.hpp"
#include "io/net/network.hpp"
#include "io/net/stream.hpp"
#include "io/sim/connection.hpp"
#include "io/sim/datagrams.hpp"
#include "io/sim/fabric.hpp"
#include "io/sim/listener.hpp"
#include "io/sim/stream.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"

namespace meridian::io::sim {

Task<Result<std::unique_ptr<Stream>>> SimNetwork::Connect(Endpoint to, ConnectOptions options) {
  Result<HostId> host = fabric_.Find(to.address);
  if (!host) {
    WaitQueue nobody;
    Result<void> waited = co_await nobody.Wait(options.deadline);
    co_return Fail(std::move(waited.error()));
  }
  Endpoint from{fabric_.AddressOf(host_), fabric_.TakeEphemeralPort(host_)};
  auto connection =
      std::make_shared<Connection>(fabric_, Connection::End{.host = host_, .endpoint = from},
                                   Connection::End{.host = *host, .endpoint = to});
  fabric_.Join(connection);
  auto stream = std::make_unique<SimStream>(fabric_, connection, 0);
  connection->Connect();
  Result<void> connected = co_await stream->Write(std::span<const Bytes>{}, options.deadline);
  if (!connected) {
    co_return Fail(connected.error().code, "{}: {}", to.ToString(), connected.error().message);
  }
  co_return stream;
}

Result<Endpoint> SimNetwork::Own(Endpoint at) {
  IpAddress own = fabric_.AddressOf(host_);
  if (at.address != IpAddress() && at.address != own) {
    return Fail(Errc::kInvalid, "{} is not an address of this host", at.ToString());
  }
  return Endpoint{own, at.port != 0 ? at.port : fabric_.TakeEphemeralPort(host_)};
}

Result<std::unique_ptr<Listener>> SimNetwork::Listen(Endpoint at, ListenOptions options) {
  Result<Endpoint> own = Own(at);
  if (!own) return Fail(std::move(own.error()));
  auto listener =
      std::make_unique<SimListener>(fabric_, *own, static_cast<size_t>(options.backlog));
  Result<void> registered = fabric_.Register(*own, *listener);
  if (!registered) return Fail(std::move(registered.error()));
  return listener;
}

Result<std::unique_ptr<Datagrams>> SimNetwork::Bind(Endpoint at) {
  Result<Endpoint> own = Own(at);
  if (!own) return Fail(std::move(own.error()));
  auto socket = std::make_unique<SimDatagrams>(fabric_, host_, *own);
  Result<void> registered = fabric_.Register(*own, *socket);
  if (!registered) return Fail(std::move(registered.error()));
  return socket;
}

}  // namespace meridian::io::sim
