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
  Lane(Place at, const Endpoint& address) : place(std::move(at)), local(address) {
    if (!place.open) place.open = std::make_shared<OpenConnections>();
  }

  // Promises a connection, which Give or Release must follow, so that Close loses none. False: the
  // listener is closed, or has no room. This and the next two: the accepting loop.
  bool Reserve() {
    std::lock_guard lock(mutex);
    if (closed || waiting.size() >= kMaxWaiting) return false;
    reserved = true;
    return true;
  }
  void Give(AcceptedSocket accepted, const std::shared_ptr<Lane>& self) {
    place.open->count.fetch_add(1, std::memory_order_relaxed);
    std::lock_guard lock(mutex);
    reserved = false;
    error.reset();
    waiting.push_back(std::move(accepted));
    is_behind.store(true, std::memory_order_relaxed);
    if (waiting.size() == 1) place.loop.Post([self] { self->Notify(); });
  }
  void Report(const Error& of_accept, const std::shared_ptr<Lane>& self) {
    std::lock_guard lock(mutex);
    if (closed || error) return;
    error = of_accept;
    place.loop.Post([self] { self->Notify(); });
  }
  void Release(const std::shared_ptr<Lane>& self) {
    std::lock_guard lock(mutex);
    reserved = false;
    if (closed) place.loop.Post([self] { self->Notify(); });
  }
  // This and the next: the place's loop.
  std::optional<Result<AcceptedSocket>> Take() {
    std::lock_guard lock(mutex);
    if (!waiting.empty()) {
      AcceptedSocket next = std::move(waiting.front());
      waiting.pop_front();
      is_behind.store(!waiting.empty(), std::memory_order_relaxed);
      return next;
    }
    if (error) return std::unexpected(*std::exchange(error, std::nullopt));
    if (!closed || reserved) return std::nullopt;
    return Fail(Errc::kClosed, "accept: closed");
  }
  void Close() {
    std::lock_guard lock(mutex);
    closed = true;
  }
  bool is_closed() {
    std::lock_guard lock(mutex);
    return closed;
  }
  int64_t open() const { return place.open->count.load(std::memory_order_relaxed); }
  // On the place's loop.
  void Notify();

  Place place;
  const Endpoint local;
  // `waiting` is not empty. Written under the mutex, read by the accepting loop.
  alignas(64) std::atomic<bool> is_behind = false;
  std::mutex mutex;  // guards the next four
  std::deque<AcceptedSocket> waiting;
  std::optional<Error> error;  // of accept(2)
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
  // A fiber that waits gets what was given before, or kClosed.
  void Close() override {
    lane_->Close();
    NotifyReadable();
  }
  std::optional<Accepted> TryAccept() override {
    lane_->listener = this;
    auto next = lane_->Take();
    if (!next) return std::nullopt;
    if (!*next) return Fail(std::move(next->error()));
    // The connection takes itself off the count when it is destroyed.
    std::shared_ptr<void> counted(lane_.get(), [open = lane_->place.open](void* /*lane*/) {
      open->count.fetch_sub(1, std::memory_order_relaxed);
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
  for (const Place& place : places) {
    lanes_.push_back(std::make_shared<Lane>(place, local));
  }
  SetNonBlocking(listening_.get());
  own_.Add(listening_.get(), EPOLLIN, *this);
}

SharedListener::~SharedListener() { own_.Remove(listening_.get()); }

std::unique_ptr<Listener> SharedListener::ForLoop(size_t index) {
  return std::make_unique<LoopListener>(lanes_[index]);
}

void SharedListener::OnEvents(uint32_t /*events*/) { readable_.WakeAll(); }

// Null when no loop has room. Loads change while they are compared, so each is read once.
std::shared_ptr<SharedListener::Lane> SharedListener::ReserveLane() {
  loads_.clear();
  for (size_t i = 0; i < lanes_.size(); ++i) {
    const Lane& lane = *lanes_[i];
    loads_.push_back(
        {lane.is_behind.load(std::memory_order_relaxed), lane.open(), lanes_.size() - i});
  }
  std::ranges::sort(loads_);
  for (const Load& load : loads_) {
    std::shared_ptr<Lane>& lane = lanes_[lanes_.size() - load.from_end];
    if (lane->Reserve()) return lane;
  }
  return nullptr;
}

bool SharedListener::all_closed() const {
  return std::ranges::all_of(lanes_, [](const auto& lane) { return lane->is_closed(); });
}

// The loop with the most connections can best close one.
void SharedListener::Report(const Error& error) {
  auto fullest = std::ranges::max(lanes_, {}, [](const auto& lane) { return lane->open(); });
  fullest->Report(error, fullest);
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
      lane->Give(std::move(**accepted), lane);
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
