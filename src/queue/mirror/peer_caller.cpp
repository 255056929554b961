#include "queue/mirror/peer_caller.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/task.hpp"
#include "queue/engine/fiber_mutex.hpp"
#include "queue/limits.hpp"

namespace meridian::queue {

io::Task<Result<std::vector<uint8_t>>> PeerCaller::ExchangeInTurn(Bytes request,
                                                                  TimePoint deadline) {
  if (calls_ >= kMaxPeerCalls) co_return Fail(Errc::kTooLarge, "too many calls wait");
  ++calls_;
  Result<FiberMutex::Guard> turn = co_await mutex_.Lock();
  Result<std::vector<uint8_t>> response = Fail(Errc::kCancelled, "cancelled");
  if (turn) response = co_await Exchange(request, deadline);
  --calls_;
  co_return response;
}

io::Task<Result<std::vector<uint8_t>>> PeerCaller::Exchange(Bytes request, TimePoint deadline) {
  if (!stream_) {
    auto dialled = co_await dial_(deadline);
    if (!dialled) co_return Fail(std::move(dialled.error()));
    stream_ = std::move(*dialled);
  }
  Result<void> sent = co_await stream_->Write(request, deadline);
  Result<std::vector<uint8_t>> response = Fail(Errc::kClosed, "nothing was sent");
  if (sent) {
    response = co_await ReadResponse(deadline);
  } else {
    response = Fail(std::move(sent.error()));
  }
  if (!response) stream_.reset();
  co_return response;
}

io::Task<Result<std::vector<uint8_t>>> PeerCaller::ReadResponse(TimePoint deadline) {
  std::array<uint8_t, sizeof(uint32_t)> prefix{};
  Result<void> read = co_await ReadAll(prefix, deadline);
  if (!read) co_return Fail(std::move(read.error()));
  const uint32_t length = ByteReader(prefix).U32();
  if (length > kMaxPeerResponseBytes) {
    co_return Fail(Errc::kInvalid, "a response of {} bytes", length);
  }
  std::vector<uint8_t> bytes(length);
  read = co_await ReadAll(bytes, deadline);
  if (!read) co_return Fail(std::move(read.error()));
  co_return bytes;
}

io::Task<Result<void>> PeerCaller::ReadAll(MutableBytes into, TimePoint deadline) {
  while (!into.empty()) {
    Result<size_t> read = co_await stream_->Read(into, deadline);
    if (!read) co_return Fail(std::move(read.error()));
    if (*read == 0) co_return Fail(Errc::kReset, "the connection ended within a response");
    into = into.subspan(*read);
  }
  co_return Result<void>{};
}

}  // namespace meridian::queue
