// DatagramBatch: questions and answers over UDP by the batch, on a blocking socket and a thread of
// its own (recvmmsg and sendmmsg): the cheapest way the kernel has for a server that answers at
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
  // How long Receive waits, so that the thread can see that it should stop.
  static constexpr std::chrono::milliseconds kBatchWait{250};

  // `fd` stays the caller's; its receive time-out is set here.
  explicit DatagramBatch(int fd);

  // Waits for at least one datagram; how many came, 0 when none in time. Forgets the batch before.
  size_t Receive();
  // A datagram that was longer than kMaxQuestionBytes is given as empty.
  Bytes question(size_t i) const;
  Endpoint from(size_t i) const;
  MutableBytes space(size_t i) { return slots_[i].answer; }
  // The first `bytes` of space(i) go back to from(i), from the address that was asked; 0 is no
  // answer.
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
