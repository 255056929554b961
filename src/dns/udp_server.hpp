// Answers over one UDP socket, on a blocking thread of its own: receive a batch, answer it from the
// newest snapshot, send the batch. Several of these share a port with SO_REUSEPORT.
// Owned by the Server, whose thread makes and destroys it.
#pragma once

#include <thread>

#include "dns/answer_counts.hpp"
#include "dns/published.hpp"
#include "dns/snapshot.hpp"
#include "io/fd.hpp"

namespace meridian::dns {

class UdpServer {
 public:
  // `socket`: bound and blocking (io::OpenDatagramSocket). `reader`: this thread's number in
  // `snapshots`, which it alone uses.
  UdpServer(io::Fd socket, Published<Snapshot>& snapshots, size_t reader, AnswerMetrics& metrics);
  // Answers what has been received, and ends within DatagramBatch::kBatchWait.
  ~UdpServer();
  // So that several end at the same time.
  void RequestStop() { thread_.request_stop(); }

 private:
  void Serve(const std::stop_token& stop);

  io::Fd socket_;
  Published<Snapshot>& snapshots_;
  size_t reader_;
  AnswerMetrics& metrics_;
  std::jthread thread_;
};

}  // namespace meridian::dns
