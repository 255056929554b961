#include "io/sim/datagrams.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/net/datagram.hpp"
#include "io/sim/fabric.hpp"
#include "io/sim/limits.hpp"
#include "io/sim/world.hpp"

namespace meridian::io::sim {

Result<void> SimDatagrams::Send(Bytes datagram, Endpoint to) {
  // A crashed process sends nothing while its fibers end.
  if (fabric_.DatagramsAt(at_) != this) return {};
  Result<HostId> host = fabric_.Find(to.address);
  if (!host) return Fail(std::move(host.error()));
  const Link& link = fabric_.link(host_, *host);
  bool lost = fabric_.random().Chance(link.loss);
  bool doubled = fabric_.random().Chance(link.duplication);
  if (!lost) SendCopy(std::string(AsText(datagram)), *host, to);
  if (doubled) SendCopy(std::string(AsText(datagram)), *host, to);
  return {};
}

void SimDatagrams::SendCopy(std::string datagram, HostId host, Endpoint to) {
  Duration delay = fabric_.DelayOf(host_, host, datagram.size());
  // Twice the delay, so that datagrams sent meanwhile overtake it.
  if (fabric_.random().Chance(fabric_.link(host_, host).reordering)) delay *= 2;
  auto arrive = [&fabric = fabric_, from = host_, host, at = at_, to,
                 datagram = std::move(datagram)] {
    SimDatagrams* socket = fabric.DatagramsAt(to);
    if (socket != nullptr && fabric.Passes(from, host)) socket->OnDatagram(datagram, at);
  };
  fabric_.world().After(delay, std::move(arrive));
}

void SimDatagrams::OnDatagram(std::string_view datagram, Endpoint from) {
  fabric_.world().Record(fabric_.NameOf(host_), "datagram", datagram.size(), at_.port);
  if (queue_.size() >= kMaxQueuedDatagrams) return;
  queue_.push_back({std::string(datagram), from});
  NotifyReadable();
}

std::optional<Result<Datagrams::Received>> SimDatagrams::TryReceive(MutableBytes into) {
  if (queue_.empty()) return std::nullopt;
  Queued first = std::move(queue_.front());
  queue_.pop_front();
  size_t count = std::min(into.size(), first.bytes.size());
  std::memcpy(into.data(), first.bytes.data(), count);
  return Received{count, first.from};
}

}  // namespace meridian::io::sim
