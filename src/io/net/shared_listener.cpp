#include "io/net/shared_listener.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <sys/epoll.h>

#include "base/check.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/epoll.hpp"
#include "io/fd.hpp"
#include "io/fiber.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/net/socket_calls.hpp"
#include "io/net/socket_stream.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"

namespace meridian::io {
namespace {

// Other fibers of the loop run after so many connections.
constexpr int kMaxAcceptsInARow = 64;

}  // namespace

// What the accepting loop and one other loop share.
struct SharedListener::Lane {
  Lane(const Place& at, const Endpoint& address) : place(at), local(address) {}

  // Promises a connection, which Give or Release must follow, so that Close loses none. False: the
  // listener is closed, or has no room. This and the next two: the accepting loop.
  bool Reserve() {
    std::lock_guard lock(mutex);
    if (closed || waiting.size() >= kMaxWaiting) return false;
    reserved = true;
    return true;
  }
  void Give(Result<AcceptedSocket> accepted, const std::shared_ptr<Lane>& self) {
    if (accepted) open.fetch_add(1, std::memory_order_relaxed);
    std::lock_guard lock(mutex);
    reserved = false;
    waiting.push_back(std::move(accepted));
    if (waiting.size() == 1) place.loop.Post([self] { self->Notify(); });
  }
  void Release(const std::shared_ptr<Lane>& self) {
    std::lock_guard lock(mutex);
    reserved = false;
    if (closed) place.loop.Post([self] { self->Notify(); });
  }
  // This and the next: the place's loop.
  std::optional<Result<AcceptedSocket>> Take() {
    std::lock_guard lock(mutex);
    if (waiting.empty()) {
      if (!closed || reserved) return std::nullopt;
      return Fail(Errc::kClosed, "accept: closed");
    }
    Result<AcceptedSocket> next = std::move(waiting.front());
    waiting.pop_front();
    return next;
  }
  void Close() {
    std::lock_guard lock(mutex);
    closed = true;
  }
  bool is_closed() {
    std::lock_guard lock(mutex);
    return closed;
  }
  // On the place's loop.
  void Notify();

  const Place place;
  const Endpoint local;
  // Connections that were given and still exist; each stream takes itself off when it is destroyed.
  alignas(64) std::atomic<int64_t> open = 0;
  alignas(64) std::mutex mutex;  // guards the next three
  std::deque<Result<AcceptedSocket>> waiting;
  bool reserved = false;
  bool closed = false;
  LoopListener* listener = nullptr;  // the place's loop alone
};

class SharedListener::LoopListener final : public Listener {
 public:
  explicit LoopListener(std::shared_ptr<Lane> lane) : lane_(std::move(lane)) {}
  ~LoopListener() override {
    Close();
    lane_->listener = nullptr;
  }

  Endpoint local() const override { return lane_->local; }
  void Close() override {
    lane_->Close();
    InterruptAll();
  }
  std::optional<Accepted> TryAccept() override {
    lane_->listener = this;
    auto next = lane_->Take();
    if (!next) return std::nullopt;
    if (!*next) return Fail(std::move(next->error()));
    std::shared_ptr<void> counted(lane_.get(), [lane = lane_](void* /*lane*/) {
      lane->open.fetch_sub(1, std::memory_order_relaxed);
    });
    return std::make_unique<SocketStream>(lane_->place.driver, std::move((*next)->fd),
                                          SocketStream::State::kConnected, (*next)->peer,
                                          std::move(counted));
  }
  using Listener::NotifyReadable;

 private:
  std::shared_ptr<Lane> lane_;
};

void SharedListener::Lane::Notify() {
  if (listener != nullptr) listener->NotifyReadable();
}

SharedListener::SharedListener(EpollDriver& own, Fd listening, const std::vector<Place>& places)
    : own_(own), listening_(std::move(listening)) {
  CHECK(!places.empty());
  const Endpoint local = LocalEndpoint(listening_.get());
  for (const Place& place : places) lanes_.push_back(std::make_shared<Lane>(place, local));
  lanes_by_load_ = lanes_;
  SetNonBlocking(listening_.get());
  own_.Add(listening_.get(), EPOLLIN, *this);
}

SharedListener::~SharedListener() { own_.Remove(listening_.get()); }

std::unique_ptr<Listener> SharedListener::ForLoop(size_t index) {
  return std::make_unique<LoopListener>(lanes_[index]);
}

void SharedListener::OnEvents(uint32_t /*events*/) { readable_.WakeAll(); }

// Tries the loops in the order of their connections, the fewest first. Null when none has room.
std::shared_ptr<SharedListener::Lane> SharedListener::ReserveLane() {
  std::ranges::sort(lanes_by_load_, {},
                    [](const auto& lane) { return lane->open.load(std::memory_order_relaxed); });
  for (const auto& lane : lanes_by_load_) {
    if (lane->Reserve()) return lane;
  }
  return nullptr;
}

bool SharedListener::all_closed() const {
  return std::ranges::all_of(lanes_, [](const auto& lane) { return lane->is_closed(); });
}

// The loop with the most connections can best close one.
void SharedListener::Report(const Error& error) {
  auto fullest = std::ranges::max(
      lanes_, {}, [](const auto& lane) { return lane->open.load(std::memory_order_relaxed); });
  if (fullest->Reserve()) fullest->Give(std::unexpected(error), fullest);
}

Task<void> SharedListener::Run() {
  const Fiber& fiber = co_await ThisFiber{};
  for (int round = 1; !fiber.cancelled(); ++round) {
    std::shared_ptr<Lane> lane = ReserveLane();
    if (!lane) {
      if (all_closed()) co_return;
      (void)co_await Sleep(kPause);
      continue;
    }
    auto accepted = AcceptSocket(listening_.get());
    if (accepted && *accepted) {
      lane->Give(std::move(*accepted), lane);
      if (round % kMaxAcceptsInARow == 0) co_await AfterOthers{};
      continue;
    }
    lane->Release(lane);
    if (!accepted) {
      (void)co_await readable_.Wait();
      continue;
    }
    Report(accepted->error());
    (void)co_await Sleep(kPause);
  }
}

}  // namespace meridian::io
