// FrameSender: sends the frames of several streams over one connection, in turn. A stream sends a
// frame, waits until it is written, and only then sends its next; so among streams that have
// something to send each sends one frame a round, and delays the others by at most that.
//
// A frame is written whole, also when the fiber that sends it is cancelled meanwhile.
//
// Owned by one end of a connection; one thread, the loop's. Private to store/.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "base/result.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "store/mirror/frame_stream.hpp"

namespace meridian::store {

class FrameSender {
 public:
  explicit FrameSender(FrameStream& frames) : frames_(frames) {}

  // Returns when the frame is written. kCancelled: it will be; otherwise what ended Run.
  io::Task<Result<void>> Send(std::vector<uint8_t> head, std::vector<uint8_t> rest = {});
  // Does not wait. For the last frame of a stream.
  void Post(std::vector<uint8_t> frame);
  // Writes until that fails or is cancelled. Returns why.
  io::Task<Result<void>> Run();

 private:
  struct Frame {
    std::vector<uint8_t> head;
    std::vector<uint8_t> rest;
  };
  io::Task<Result<void>> WriteAll();

  FrameStream& frames_;
  std::deque<Frame> waiting_;
  uint64_t posted_ = 0;
  uint64_t written_ = 0;
  Result<void> ended_;
  io::WaitQueue more_;
  io::WaitQueue progress_;
};

}  // namespace meridian::store
