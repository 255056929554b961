#include "dns/udp_server.hpp"

#include <cstddef>
#include <stop_token>
#include <utility>

#include "base/clock.hpp"
#include "dns/answer_counts.hpp"
#include "dns/published.hpp"
#include "dns/responder.hpp"
#include "dns/snapshot.hpp"
#include "io/fd.hpp"
#include "io/net/datagram_batch.hpp"

namespace meridian::dns {

UdpServer::UdpServer(io::Fd socket, Published<Snapshot>& snapshots, size_t reader,
                     AnswerMetrics& metrics)
    : socket_(std::move(socket)),
      snapshots_(snapshots),
      reader_(reader),
      metrics_(metrics),
      thread_([this](const std::stop_token& stop) { Serve(stop); }) {}

UdpServer::~UdpServer() = default;  // jthread: requests a stop, and joins

void UdpServer::Serve(const std::stop_token& stop) {
  const SystemClock clock;
  io::DatagramBatch batch(socket_.get());
  while (!stop.stop_requested()) {
    size_t count = batch.Receive();
    rounds_.Add();
    if (count == 0) continue;
    const TimePoint read_at = clock.Now();
    AnswerCounts counts;
    {
      auto snapshot = snapshots_.Acquire(reader_);
      for (size_t i = 0; i < count; ++i) {
        QueryPacket packet{batch.question(i), batch.from(i).address, Transport::kUdp};
        Reply reply = Respond(*snapshot, packet, batch.space(i));
        batch.SetAnswer(i, reply.bytes);
        counts.Add(reply);
      }
    }
    batch.SendAnswers();
    metrics_.Add(Transport::kUdp, counts, clock.Now() - read_at);
  }
}

}  // namespace meridian::dns
