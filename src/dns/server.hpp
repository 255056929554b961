// The dns tier: answers for the site's domain over UDP and TCP, probes the data centers' edges, and
// obeys the agent's view. Everything but the UDP threads runs on the process's loop, which makes
// the snapshots for all threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "dns/answer_counts.hpp"
#include "dns/data_centers.hpp"
#include "dns/health/prober.hpp"
#include "dns/published.hpp"
#include "dns/tcp_server.hpp"
#include "dns/udp_server.hpp"
#include "io/wait_queue.hpp"
#include "site/tier/tier_process.hpp"
#include "site/tier_description.hpp"

namespace meridian::dns {

class Server {
 public:
  // `country_database`: used if the site names no geo database; empty: none.
  explicit Server(site::TierProcess& process, std::filesystem::path country_database = {});
  // The process's fibers must have ended.
  ~Server();

  // Sockets: "udp" and "tcp" at this data center's address, inherited or bound here, and "udp-2",
  // "tcp-2", ... at its public addresses; "udp/2", ... for further threads. Errors: a socket, or
  // the geo database.
  io::Task<Result<void>> Start();
  void OnView();
  // A UDP thread that has done nothing for kMaxUdpSilence, though it wakes by itself; or empty.
  std::string HungThread();
  // Ends the UDP threads and the TCP connections. Later queries wait in the inherited socket for
  // the next process.
  io::Task<void> Drain();

 private:
  struct SiteMetrics;

  void StartUdp(std::vector<io::Fd> sockets);
  void StartProbes();
  io::Task<void> AwaitFirstProbes();
  io::Task<void> KeepSpilling();
  void PublishChange();

  site::TierProcess& process_;
  std::filesystem::path country_database_;
  DataCenters data_centers_;
  AnswerMetrics answer_metrics_;                             // of the loop's thread
  std::vector<std::unique_ptr<AnswerMetrics>> udp_metrics_;  // of each UDP thread
  TcpMetrics tcp_metrics_;
  std::unique_ptr<SiteMetrics> site_metrics_;
  io::WaitQueue probed_;
  Prober prober_;
  // The order matters: threads and connections are destroyed before the data that they read.
  FixedParts parts_;
  std::unique_ptr<Published<Snapshot>> snapshots_;
  std::vector<std::unique_ptr<TcpServer>> tcp_;
  std::vector<std::unique_ptr<UdpServer>> udp_;
  // What HungThread has seen of each.
  struct Seen {
    uint64_t rounds = 0;
    TimePoint at{};
  };
  std::vector<Seen> udp_seen_;
};

// The tier, for the composition root.
site::TierDescription Describe();

}  // namespace meridian::dns
