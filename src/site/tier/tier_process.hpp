// The process of one tier: its loop, the sockets that it inherits, the agent's SiteView, its
// readiness, SIGTERM. Every tier has the same main function:
//
//   int RunEdge(const site::Site& site, site::TierStart start) {
//     site::TierProcess process(site, std::move(start));
//     Edge edge(process);
//     return process.Run({.public_port = site.ports.edge,
//                         .start = [&] { return edge.Start(); },
//                         .drain = [&](Duration grace) { return edge.Drain(grace); }});
//   }
//
// The ops port answers /metrics (Prometheus) and /.meridian/ready.
//
// Its view is at first made from site.toml alone, with the number 0: every data center serves, and
// none has instances. A tier without an agent (no control stream) keeps this view. A tier that an
// agent runs opens only its ops port before the agent's first view, because its inherited sockets
// already have waiting connections; after `first_view_timeout` it serves by the view made from
// site.toml. When the control stream ends or cannot be read, the agent is lost: the process exits
// at once with EXIT_FAILURE, without draining. SIGTERM and SIGINT drain; SIGHUP is logged and
// ignored.
//
// A process may have further loops, each on a thread of its own, for which a tier makes one object
// each (io::PerLoop). The process itself is constructed on the main thread before any other thread,
// and used on its main loop alone.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.hpp"
#include "http/server/server.hpp"
#include "io/net/shared_listener.hpp"
#include "io/net/socket.hpp"
#include "io/net/tls.hpp"
#include "io/process.hpp"
#include "site/limits.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/tier/control.hpp"
#include "site/tier/tier_loop.hpp"
#include "site/tier/tier_loops.hpp"
#include "site/view/view.hpp"

namespace meridian::site {

// The descriptor of the control stream in a tier's process that the agent started.
constexpr int kControlFd = 3;

// The start parameters of a tier's process, also on its command line.
struct TierStart {
  std::string tier;  // the subcommand, such as "edge"
  std::string data_center;
  std::filesystem::path site_file;
  std::filesystem::path state_directory;
  Hosting hosting = Hosting::kServers;
  int control_fd = -1;  // -1: no agent runs it
  std::map<std::string, int>
      sockets{};  // inherited and already bound, by their names in the TierDescription
};

// The command line for `start`.
std::vector<std::string> TierCommand(const std::string& program, const TierStart& start);

// The name of the socket at the address `index` of a port that listens at several addresses:
// "http", "http-2", ...
std::string NumberedSocket(const std::string& name, size_t index);
// The name of the socket `name` of a thread, where each thread has its own: "udp", "udp/2", ...
std::string SocketOfThread(const std::string& name, size_t thread);

class TierProcess {
 public:
  struct Service {
    uint16_t public_port = 0;
    // Opens the tier's listeners; called when there is a view. An error ends the process. A signal
    // does not cancel it: where it waits, it must check stopping().
    std::function<io::Task<Result<void>>()> start;
    // Called at least once before `start`, and for each newer view. May be empty.
    std::function<void()> on_view = {};
    // Continues to serve for `grace`, so that clients can close their connections, then stops
    // accepting and waits for requests in flight; cut off after kDrainTimeout in all. After SIGTERM
    // a successor process takes over, and the grace is http::kRetireGrace; after SIGINT there is no
    // successor, and the grace is zero.
    std::function<io::Task<void>(Duration grace)> drain = {};
    // Called last, when all fibers of the scopes have ended, also if `start` failed: destroys the
    // objects of the loops. May be empty.
    std::function<io::Task<void>()> end = {};
    // Names a thread of the tier's own, beside its loops, that hangs; empty: none does. Called for
    // each probe of readiness. May be empty.
    std::function<std::string()> hung_thread = {};
    // Answers the tier's own paths at the ops port, for operators. May be empty.
    std::function<io::Task<void>(http::Exchange& exchange)> inspect = {};
    Duration first_view_timeout = kFirstViewTimeout;
    // From the signal to the end of the process, even where a loop hangs.
    Duration end_timeout = kEndTimeout;
  };

  // `loops`: at least 1; see TierThreads.
  TierProcess(const Site& site, TierStart start, size_t loops = 1);
  ~TierProcess();
  TierProcess(const TierProcess&) = delete;
  TierProcess& operator=(const TierProcess&) = delete;

  const Site& site() const { return site_; }
  const DataCenter& here() const { return here_; }
  // These are the functions of site/reach.hpp for this data center.
  // The address at which it reaches the agent and the tiers of `other`.
  IpAddress AddressOf(const DataCenter& other) const;
  // The address at which it reaches the edge of `other`, as visitors do.
  IpAddress EdgeAddressOf(const DataCenter& other) const;
  // The address of its ports that only processes of this host use.
  IpAddress HostAddress() const;
  const TierStart& start() const { return start_; }
  io::EpollDriver& driver() { return driver_; }
  io::Loop& loop() { return loop_; }
  io::SystemNetwork& network() { return network_; }
  Metrics& metrics() { return metrics_; }
  // For the tier's fibers; cancelled when the process ends.
  io::Scope& scope() { return scope_; }

  size_t loop_count() const { return loops_.size(); }
  // The loop `index`, below loop_count().
  TierLoop OnLoop(size_t index) { return loops_[index]; }
  // The scopes of all loops, for io::PerLoop.
  std::vector<io::Scope*> scopes() { return loops_.scopes(); }

  // True after SIGTERM or SIGINT: `start` must stop waiting.
  bool stopping() const { return stopping_; }

  // Never null. A view is immutable: keep the pointer to use the same view during a decision.
  const std::shared_ptr<const SiteView>& view() const { return view_; }

  // The inherited listener `name`, else a new listener at `at`.
  Result<std::unique_ptr<io::Listener>> Listen(const std::string& name, Endpoint at);
  // The same for visitors: a listener at each of VisitorAddresses (site/reach.hpp). Inherited
  // listeners have the names of NumberedSocket. A tier that an agent runs leaves out the second and
  // further addresses that the agent did not bind, because this host does not have them.
  Result<std::vector<std::unique_ptr<io::Listener>>> ListenForVisitors(const std::string& name,
                                                                       uint16_t port);
  // The same as the two above for all loops: the result has the listeners of each loop, which are
  // used and destroyed on that loop. Each connection goes to the loop with the fewest.
  using LoopListeners = std::vector<std::vector<std::unique_ptr<io::Listener>>>;
  Result<LoopListeners> ListenOnLoops(const std::string& name, Endpoint at);
  Result<LoopListeners> ListenForVisitorsOnLoops(const std::string& name, uint16_t port);
  // The inherited and bound datagram sockets for visitors: `threads` (SocketOfThread) at each of
  // VisitorAddresses, new ones where none is inherited. An inherited socket is never left out, as
  // the kernel gives each socket of a port its share of the datagrams.
  Result<std::vector<io::Fd>> OpenDatagramsForVisitors(const std::string& name, uint16_t port,
                                                       size_t threads);

  // For mutual TLS with the tiers of other data centers, as server or client: our certificate, and
  // the site's CA to verify theirs.
  io::TlsOptions PeerTls() const;
  // For HTTPS with visitors.
  io::TlsOptions WebTls() const;

  // Reports to the agent: a change of readiness at once, changes of numbers once a second.
  void SetReady(bool ready, std::string detail = "");
  // A problem of a ready tier, for people, such as panic; empty: none.
  void SetDetail(std::string detail);
  // The same of one part of the tier, which is told beside the others'.
  void SetDetailOf(const std::string& part, std::string detail);
  void SetLoad(double load_rps, uint64_t connections);
  // The number of requests in flight at draining instances, for which the agent waits. Zero is
  // reported at once.
  void SetLeaving(uint64_t requests);
  void SetInstances(std::vector<InstanceReport> instances);

  // Makes the ops port answer GET `path` with the result of `json`. Call before Run.
  void AnswerOnOps(std::string path, std::function<std::string()> json);

  // Starts the tier, sets it ready, and serves until SIGTERM or SIGINT; then drains. Returns the
  // exit status: 0 after such a signal, 1 if the start failed.
  int Run(const Service& service);

 private:
  io::Task<int> Main(const Service& service);
  // A socket that listens at `at`, inherited if there is one called `name`.
  Result<io::Fd> OpenListening(const std::string& name, Endpoint at);
  // The names and addresses of the sockets for visitors.
  std::vector<std::pair<std::string, Endpoint>> VisitorSockets(const std::string& name,
                                                               uint16_t port) const;
  Result<void> Share(const std::string& name, Endpoint at, LoopListeners* listeners);
  // Names a loop, or a thread of the tier, that does not answer by `deadline`. Empty: all answer.
  io::Task<std::string> FindHung(const Service& service, TimePoint deadline);
  io::Task<void> EndInTime(Duration timeout);
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
  std::map<std::string, std::string> details_;  // by part of the tier; "": the tier
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
  TierLoops loops_;
  std::vector<std::unique_ptr<io::SharedListener>> shared_listeners_;
  std::vector<std::shared_ptr<io::OpenConnections>> open_;  // of each loop
};

// The number of loops of a tier's process: ThreadsOf its site on this machine.
size_t TierThreads(const Site& site, const TierStart& start);

}  // namespace meridian::site
