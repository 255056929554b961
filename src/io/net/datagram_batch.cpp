#include "io/net/datagram_batch.hpp"

#include <cerrno>
#include <cstddef>
#include <memory>

#include <sys/socket.h>
#include <sys/time.h>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "io/net/socket_address.hpp"

namespace meridian::io {

DatagramBatch::DatagramBatch(int fd)
    : fd_(fd), slots_(std::make_unique_for_overwrite<Slot[]>(kMaxDatagrams)) {
  timeval wait{.tv_sec = 0, .tv_usec = std::chrono::microseconds(kBatchWait).count()};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
}

size_t DatagramBatch::Receive() {
  for (size_t i = 0; i < kMaxDatagrams; ++i) {
    vectors_[i] = {.iov_base = slots_[i].question.data(), .iov_len = kMaxQuestionBytes};
    headers_[i].msg_hdr = {};
    headers_[i].msg_hdr.msg_name = &slots_[i].from;
    headers_[i].msg_hdr.msg_namelen = sizeof slots_[i].from;
    headers_[i].msg_hdr.msg_iov = &vectors_[i];
    headers_[i].msg_hdr.msg_iovlen = 1;
    answer_bytes_[i] = 0;
  }
  int count = recvmmsg(fd_, headers_.data(), kMaxDatagrams, MSG_WAITFORONE, nullptr);
  count_ = count > 0 ? static_cast<size_t>(count) : 0;
  return count_;
}

Bytes DatagramBatch::question(size_t i) const {
  if ((headers_[i].msg_hdr.msg_flags & MSG_TRUNC) != 0) return {};
  return {slots_[i].question.data(), headers_[i].msg_len};
}

Endpoint DatagramBatch::from(size_t i) const {
  SocketAddress address;
  address.storage = slots_[i].from;
  return address.ToEndpoint();
}

void DatagramBatch::SendAnswers() {
  unsigned count = 0;
  for (size_t i = 0; i < count_; ++i) {
    if (answer_bytes_[i] == 0) continue;
    vectors_[count] = {.iov_base = slots_[i].answer.data(), .iov_len = answer_bytes_[i]};
    headers_[count].msg_hdr = headers_[i].msg_hdr;
    headers_[count].msg_hdr.msg_iov = &vectors_[count];
    ++count;
  }
  unsigned sent = 0;
  while (sent < count) {
    int done = sendmmsg(fd_, headers_.data() + sent, count - sent, MSG_NOSIGNAL);
    if (done < 0 && errno == EINTR) continue;
    // A datagram that cannot be sent is dropped, as the network may drop it; the rest of the batch
    // is sent.
    sent += done > 0 ? static_cast<unsigned>(done) : 1;
  }
}

}  // namespace meridian::io
