// SimNetwork: the io::Network of one process in a simulated world. Its sockets have its host's
// address, and the fabric connects them to other hosts. Owned by the process's life; one thread.
#pragma once

#include <memory>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/net/network.hpp"
#include "io/sim/fabric.hpp"

namespace meridian::io::sim {

class SimNetwork final : public Network {
 public:
  SimNetwork(Fabric& fabric, HostId host) : fabric_(fabric), host_(host) {}

  // Ignores ConnectOptions::from, because a host has one address. A connect to an address without a
  // host times out.
  Task<Result<std::unique_ptr<Stream>>> Connect(Endpoint to, ConnectOptions options) override;
  // kInvalid: the address is not this host's.
  Result<std::unique_ptr<Listener>> Listen(Endpoint at, ListenOptions options) override;
  Result<std::unique_ptr<Datagrams>> Bind(Endpoint at) override;

 private:
  Result<Endpoint> Own(Endpoint at);

  Fabric& fabric_;
  HostId host_;
};

}  // namespace meridian::io::sim
