// DatagramBatch: receives UDP questions and sends answers in batches (recvmmsg and sendmmsg), on a
// blocking socket and a thread of its own: the cheapest system calls for a server that answers at
// once.
//
//   DatagramBatch batch(fd);
//   while (!stopping) {
//     size_t count = batch.Receive();               // waits at most kBatchWait
//     for (size_t i = 0; i < count; ++i) batch.SetAnswer(i, Answer(batch.question(i),
//     batch.from(i), batch.space(i))); batch.SendAnswers();
//   }
//
// One thread. Nothing is allocated after construction.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/bytes.hpp"
#include "base/ip.hpp"

namespace meridian::io {

class DatagramBatch {
 public:
  static constexpr size_t kMaxDatagrams = 64;
  static constexpr size_t kMaxQuestionBytes = 4096;
  static constexpr size_t kMaxAnswerBytes = 4096;
  // The longest wait of Receive, so that the thread notices that it should stop.
  static constexpr std::chrono::milliseconds kBatchWait{250};

  // The caller keeps owning `fd`; its receive timeout is set here.
  explicit DatagramBatch(int fd);

  // Waits for at least one datagram and returns the number received, 0 after kBatchWait. Replaces
  // the last batch.
  size_t Receive();
  // Datagram `i`; empty if it was longer than kMaxQuestionBytes.
  Bytes question(size_t i) const;
  Endpoint from(size_t i) const;
  MutableBytes space(size_t i) { return slots_[i].answer; }
  // Sends the first `bytes` of space(i) to from(i), from the address that received the question. 0:
  // no answer.
  void SetAnswer(size_t i, size_t bytes) { answer_bytes_[i] = bytes; }
  void SendAnswers();

 private:
  struct Slot {
    sockaddr_storage from;
    std::array<uint8_t, kMaxQuestionBytes> question;
    std::array<uint8_t, kMaxAnswerBytes> answer;
  };

  int fd_;
  size_t count_ = 0;
  std::unique_ptr<Slot[]> slots_;
  std::array<mmsghdr, kMaxDatagrams> headers_{};
  std::array<iovec, kMaxDatagrams> vectors_{};
  std::array<size_t, kMaxDatagrams> answer_bytes_{};
};

}  // namespace meridian::io
