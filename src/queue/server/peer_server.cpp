#include "queue/server/peer_server.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "queue/mirror/mirrors.hpp"
#include "queue/server/broker.hpp"
#include "queue/server/client_handler.hpp"
#include "queue/server/connection.hpp"
#include "store/limits.hpp"

namespace meridian::queue {

// Both kinds of connections begin with a length of four bytes. Then comes the type of a mirroring
// frame, which is not zero, or the number of an API, whose upper byte is zero.
io::Task<void> PeerServer::Serve(std::unique_ptr<io::Stream> stream,
                                 std::function<bool(std::string_view)> allowed) {
  constexpr size_t kDecidingBytes = 5;
  std::vector<uint8_t> received(kDecidingBytes);
  const TimePoint deadline = parts_.loop.After(store::kMirrorHandshakeTimeout);
  for (size_t have = 0; have < kDecidingBytes;) {
    Result<size_t> read = co_await stream->Read(MutableBytes(received).subspan(have), deadline);
    if (!read || *read == 0) co_return;
    have += *read;
  }
  if (received.back() != 0) {
    co_return co_await parts_.mirrors.Serve(std::move(stream), std::move(allowed),
                                            std::move(received));
  }
  if (!parts_.mirrors.IsPeer(allowed)) {
    const std::string problem = "Kafka requests of a host that is no other data center's queue";
    if (refused_.OnProblem(problem, parts_.loop.Now())) {
      LOG_WARNING("refused at the peer port", {"peer", stream->peer().ToString()},
                  {"problem", problem});
    }
    co_return;
  }
  auto handler =
      std::make_unique<ClientHandler>(ClientHandler::Parts{.broker = parts_.broker,
                                                           .broker_scope = parts_.broker_scope,
                                                           .metrics = metrics_,
                                                           .from_peer = true},
                                      stream->peer().address.ToString());
  Connection connection(parts_.loop, std::move(stream), budget_, std::move(handler), received);
  co_await connection.Run();
}

}  // namespace meridian::queue
