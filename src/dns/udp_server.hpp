// Answers over a UDP socket, on a blocking thread of its own: receives a batch, answers it from the
// newest snapshot, and sends the answers. Several servers share a port with SO_REUSEPORT. Owned by
// the Server, whose thread makes and destroys it.
#pragma once

#include <cstdint>
#include <thread>

#include "base/metric_cells.hpp"
#include "dns/answer_counts.hpp"
#include "dns/published.hpp"
#include "dns/snapshot.hpp"
#include "io/fd.hpp"

namespace meridian::dns {

class UdpServer {
 public:
  // `socket`: bound and blocking (io::OpenDatagramSocket). `reader`: this thread's own reader
  // number in `snapshots`.
  UdpServer(io::Fd socket, Published<Snapshot>& snapshots, size_t reader, AnswerMetrics& metrics);
  // Answers the received queries, and ends within DatagramBatch::kBatchWait.
  ~UdpServer();
  // Lets several servers end at the same time.
  void RequestStop() { thread_.request_stop(); }
  // Grows at least each DatagramBatch::kBatchWait, unless the thread hangs. Any thread.
  uint64_t rounds() const { return rounds_.value(); }

 private:
  void Serve(const std::stop_token& stop);

  io::Fd socket_;
  Published<Snapshot>& snapshots_;
  size_t reader_;
  AnswerMetrics& metrics_;
  Counter rounds_;
  std::jthread thread_;
};

}  // namespace meridian::dns
