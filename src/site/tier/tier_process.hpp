// The process of one tier: its loop, the sockets that it inherits, the agent's SiteView, its
// readiness, SIGTERM. Every tier is the same around its own work:
//
//   int RunEdge(const site::Site& site, site::TierStart start) {
//     site::TierProcess process(site, std::move(start));
//     Edge edge(process);
//     return process.Run({.public_port = site.ports.edge,
//                         .start = [&] { return edge.Start(); },
//                         .drain = [&](Duration grace) { return edge.Drain(grace); }});
//   }
//
// Beside the tier's own work its ops port answers /metrics (Prometheus) and /.meridian/ready.
//
// A tier that an agent runs serves nothing before it has the agent's first view: the sockets that
// it inherits have connections waiting already, and by the configured view no instance exists.
// Without a view after `first_view_timeout` it serves by the configured one. A tier that runs by
// itself (no control stream) sees every data center of the site as serving. Constructed on the main
// thread before any other thread; everything here belongs to its loop.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.hpp"
#include "http/server/server.hpp"
#include "io/net/socket.hpp"
#include "io/net/tls.hpp"
#include "io/process.hpp"
#include "site/limits.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/tier/control.hpp"
#include "site/view/view.hpp"

namespace meridian::site {

// Where a tier's process finds its control stream when the agent runs it.
constexpr int kControlFd = 3;

// How a tier's process is started; the same on its command line.
struct TierStart {
  std::string tier;  // the subcommand, such as "edge"
  std::string data_center;
  std::filesystem::path site_file;
  std::filesystem::path state_directory;
  Hosting hosting = Hosting::kServers;
  int control_fd = -1;                   // -1: it runs by itself
  std::map<std::string, int> sockets{};  // inherited, already bound, by the tier's name for them
};

// The command line that `start` came from, or goes to.
std::vector<std::string> TierCommand(const std::string& program, const TierStart& start);

// What the sockets of a port are called that listens at several addresses: "http", "http-2", ...
std::string NumberedSocket(const std::string& name, size_t index);

class TierProcess {
 public:
  struct Service {
    uint16_t public_port = 0;
    // Opens what the tier serves on; called when there is a view. An error ends the process.
    std::function<io::Task<Result<void>>()> start;
    // Called when there is a newer view, and once before `start`. May be empty.
    std::function<void()> on_view = {};
    // Serves for `grace` yet so that clients can leave, then stops accepting and waits for what is
    // in flight; given kDrainTimeout in all. After SIGTERM another process follows this one, and
    // the grace is http::kRetireGrace; after SIGINT nobody does, and there is none.
    std::function<io::Task<void>(Duration grace)> drain = {};
    // Answers at the ops port, to operators, what is not every tier's. May be empty.
    std::function<io::Task<void>(http::Exchange& exchange)> inspect = {};
    Duration first_view_timeout = kFirstViewTimeout;
  };

  TierProcess(const Site& site, TierStart start);
  TierProcess(const TierProcess&) = delete;
  TierProcess& operator=(const TierProcess&) = delete;

  const Site& site() const { return site_; }
  const DataCenter& here() const { return here_; }
  // Where this data center reaches agent and tiers, or the edge, of `other`.
  IpAddress AddressOf(const DataCenter& other) const;
  IpAddress EdgeAddressOf(const DataCenter& other) const;
  // Where its own tiers are that only this host needs.
  IpAddress HostAddress() const;
  const TierStart& start() const { return start_; }
  io::EpollDriver& driver() { return driver_; }
  io::Loop& loop() { return loop_; }
  io::SystemNetwork& network() { return network_; }
  Metrics& metrics() { return metrics_; }
  // For the tier's fibers; cancelled when the process ends.
  io::Scope& scope() { return scope_; }

  // It was told to end: what `start` still waits for is of no use.
  bool stopping() const { return stopping_; }

  // Never null. Immutable: keep it to have one picture through a decision.
  const std::shared_ptr<const SiteView>& view() const { return view_; }

  // The listener called `name` that was inherited, else a new one at `at`.
  Result<std::unique_ptr<io::Listener>> Listen(const std::string& name, Endpoint at);
  // The same for visitors: one at each of VisitorAddresses. Inherited ones are called `name`,
  // `name`-2, `name`-3, ...
  Result<std::vector<std::unique_ptr<io::Listener>>> ListenForVisitors(const std::string& name,
                                                                       uint16_t port);
  // The bound datagram socket called `name` that was inherited, else a new one at `at`.
  Result<io::Fd> OpenDatagrams(const std::string& name, Endpoint at);

  // For mutual TLS with the tiers of other data centers, as server or client: our certificate, and
  // the site's CA to hold them against.
  io::TlsOptions PeerTls() const;
  // For HTTPS with visitors.
  io::TlsOptions WebTls() const;

  // What the agent is told: at once when readiness changes, once a second when numbers do.
  void SetReady(bool ready, std::string detail = "");
  // What people should know of a tier that works, such as that it is in panic; empty: nothing.
  void SetDetail(std::string detail);
  void SetLoad(double load_rps, uint64_t connections);
  // How many requests are at instances that the view says are leaving; told at once when none is
  // left.
  void SetLeaving(uint64_t requests);
  void SetInstances(std::vector<InstanceReport> instances);

  // Has the ops port answer GET `path` with what `json` gives. Before Run.
  void AnswerOnOps(std::string path, std::function<std::string()> json);

  // The tier's whole life; its exit status.
  int Run(const Service& service);

 private:
  io::Task<int> Main(const Service& service);
  io::Task<void> AwaitSignal();
  io::Task<void> AwaitFirstView(Duration timeout);
  io::Task<Result<void>> Start(const Service& service);
  io::Task<void> ServeUntilStopped(const Service& service);
  Result<void> ServeOps(const Service& service);
  io::Task<void> AnswerOps(http::Exchange& exchange, const Service& service);
  io::Task<void> ReadViews(io::Stream& control, const Service& service);
  Result<void> TakeView(std::string_view line, const Service& service);
  io::Task<void> WriteReports(io::Stream& control);
  Result<io::Fd> TakeInherited(const std::string& name);

  const Site& site_;
  TierStart start_;
  const DataCenter& here_;
  io::EpollDriver driver_;
  io::Signals signals_;
  io::Loop loop_;
  io::SystemNetwork network_;
  Metrics metrics_;
  std::shared_ptr<const SiteView> view_;
  TierReport report_;
  TierReport reported_;
  std::map<std::string, std::function<std::string()>, std::less<>> on_ops_;
  std::unique_ptr<http::Server> ops_;
  io::WaitQueue report_changed_;
  io::WaitQueue stop_;
  io::WaitQueue view_changed_;
  bool stopping_ = false;
  Duration grace_ = Duration::zero();
  io::Scope scope_;
};

}  // namespace meridian::site
