// SimDatagrams: a UDP socket of a simulated host. Datagrams are lost, duplicated and reordered with
// the chances of their link. Private to io/sim. One thread.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/net/datagram.hpp"
#include "io/sim/fabric.hpp"

namespace meridian::io::sim {

class SimDatagrams final : public Datagrams {
 public:
  SimDatagrams(Fabric& fabric, HostId host, Endpoint at) : fabric_(fabric), host_(host), at_(at) {}
  ~SimDatagrams() override { fabric_.Unregister(*this); }

  Endpoint local() const override { return at_; }
  Result<void> Send(Bytes datagram, Endpoint to) override;

  void OnDatagram(std::string_view datagram, Endpoint from);

 private:
  struct Queued {
    std::string bytes;
    Endpoint from;
  };
  std::optional<Result<Received>> TryReceive(MutableBytes into) override;
  void SendCopy(std::string datagram, HostId host, Endpoint to);

  Fabric& fabric_;
  HostId host_;
  Endpoint at_;
  std::deque<Queued> queue_;
};

}  // namespace meridian::io::sim
