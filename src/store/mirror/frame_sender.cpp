#include "store/mirror/frame_sender.hpp"

#include <cstdint>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"

namespace meridian::store {

io::Task<Result<void>> FrameSender::Send(std::vector<uint8_t> head, std::vector<uint8_t> rest) {
  waiting_.push_back({std::move(head), std::move(rest)});
  uint64_t number = ++posted_;
  more_.WakeAll();
  while (ended_ && written_ < number) {
    if (auto woken = co_await progress_.Wait(); !woken) co_return woken;
  }
  co_return ended_;
}

void FrameSender::Post(std::vector<uint8_t> frame) {
  waiting_.push_back({std::move(frame), {}});
  ++posted_;
  more_.WakeAll();
}

io::Task<Result<void>> FrameSender::Run() {
  ended_ = co_await WriteAll();
  waiting_.clear();
  progress_.WakeAll();
  co_return ended_;
}

io::Task<Result<void>> FrameSender::WriteAll() {
  for (;;) {
    while (waiting_.empty()) {
      if (auto woken = co_await more_.Wait(); !woken) co_return woken;
    }
    Frame frame = std::move(waiting_.front());
    waiting_.pop_front();
    auto sent = co_await frames_.WriteWithProgress(frame.head, frame.rest);
    if (!sent) co_return sent;
    ++written_;
    progress_.WakeAll();
  }
}

}  // namespace meridian::store
