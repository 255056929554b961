#include "io/net/datagram.hpp"

#include <optional>
#include <utility>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/task.hpp"

namespace meridian::io {

Task<Result<Datagrams::Received>> Datagrams::Receive(MutableBytes into, TimePoint deadline) {
  for (;;) {
    std::optional<Result<Received>> received = TryReceive(into);
    if (received) co_return std::move(*received);
    Result<void> waited = co_await arrivals_.Wait(deadline);
    if (!waited) co_return Fail(std::move(waited.error()));
  }
}

}  // namespace meridian::io
