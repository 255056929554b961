#include "site/tier/tier_process.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "http/exchange.hpp"
#include "http/limits.hpp"
#include "http/server/server.hpp"
#include "io/cores.hpp"
#include "io/descriptors.hpp"
#include "io/fd.hpp"
#include "io/net/shared_listener.hpp"
#include "io/net/socket.hpp"
#include "io/net/stream.hpp"
#include "io/net/tls.hpp"
#include "io/process.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/limits.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/tier/control.hpp"
#include "site/tier/internal_fields.hpp"
#include "site/tier/metrics_answer.hpp"
#include "site/tier/threads.hpp"
#include "site/tier/tier_loop.hpp"
#include "site/tier/tier_loops.hpp"
#include "site/trust/ca.hpp"
#include "site/view/view.hpp"
#include "wire/http/message.hpp"

namespace meridian::site {
namespace {

constexpr size_t kControlPiece = 64 * 1024;

const DataCenter& DataCenterOf(const Site& site, const std::string& name) {
  const DataCenter* found = site.FindDataCenter(name);
  CHECK(found != nullptr);  // the command line was checked against the site
  return *found;
}

// The configured view, used until the agent sends a view.
SiteView ConfiguredView(const Site& site) {
  SiteView view;
  for (const DataCenter& dc : site.datacenters) {
    view.datacenters.push_back({.name = dc.name,
                                .address = dc.address,
                                .location = dc.location,
                                .weight = dc.weight,
                                .capacity_rps = dc.capacity_rps,
                                .state = DataCenterState::kServing});
  }
  return view;
}

}  // namespace

size_t TierThreads(const Site& site, const TierStart& start) {
  return io::FittingLoops(start.tier,
                          ThreadsOf(site, start.tier, start.hosting, io::AvailableCores()));
}

std::string NumberedSocket(const std::string& name, size_t index) {
  return index == 0 ? name : fmt::format("{}-{}", name, index + 1);
}

std::string SocketOfThread(const std::string& name, size_t thread) {
  return thread == 0 ? name : fmt::format("{}/{}", name, thread + 1);
}

std::vector<std::string> TierCommand(const std::string& program, const TierStart& start) {
  std::vector<std::string> command = {program,   start.tier,
                                      "--dc",    start.data_center,
                                      "--site",  start.site_file.string(),
                                      "--state", start.state_directory.string()};
  if (start.hosting == Hosting::kLab) command.emplace_back("--lab");
  if (start.control_fd >= 0) {
    command.insert(command.end(), {"--control-fd", fmt::format("{}", start.control_fd)});
  }
  for (const auto& [name, fd] : start.sockets) {
    command.insert(command.end(), {"--socket", fmt::format("{}={}", name, fd)});
  }
  return command;
}

TierProcess::TierProcess(const Site& site, TierStart start, size_t loops)
    : site_(site),
      start_(std::move(start)),
      here_(DataCenterOf(site, start_.data_center)),
      signals_(driver_, {SIGTERM, SIGINT, SIGHUP}),
      loop_(driver_),
      network_(driver_),
      view_(std::make_shared<const SiteView>(ConfiguredView(site))),
      scope_(loop_),
      loops_(start_.tier, {0, driver_, loop_, network_, metrics_, scope_}, loops) {
  for (size_t i = 0; i < loops; ++i) open_.push_back(std::make_shared<io::OpenConnections>());
}

TierProcess::~TierProcess() = default;

IpAddress TierProcess::AddressOf(const DataCenter& other) const {
  return site::AddressOf(site_, {.from = here_, .to = other, .hosting = start_.hosting});
}

IpAddress TierProcess::EdgeAddressOf(const DataCenter& other) const {
  return site::EdgeAddressOf(site_, {.from = here_, .to = other, .hosting = start_.hosting});
}

IpAddress TierProcess::HostAddress() const { return site::HostAddress(here_, start_.hosting); }

Result<io::Fd> TierProcess::TakeInherited(const std::string& name) {
  auto found = start_.sockets.find(name);
  if (found == start_.sockets.end()) return Fail(Errc::kNotFound, "no socket {}", name);
  io::Fd fd(found->second);
  start_.sockets.erase(found);
  return fd;
}

Result<io::Fd> TierProcess::OpenListening(const std::string& name, Endpoint at) {
  Result<io::Fd> inherited = TakeInherited(name);
  if (inherited) return inherited;
  return io::OpenListeningSocket(at, {});
}

Result<std::unique_ptr<io::Listener>> TierProcess::Listen(const std::string& name, Endpoint at) {
  Result<io::Fd> socket = OpenListening(name, at);
  if (!socket) return Fail(std::move(socket.error()));
  return network_.AdoptListener(std::move(*socket));
}

// Without the addresses that the agent has left out because this host does not have them; it has
// logged them.
std::vector<std::pair<std::string, Endpoint>> TierProcess::VisitorSockets(const std::string& name,
                                                                          uint16_t port) const {
  std::vector<IpAddress> addresses = VisitorAddresses(here_, start_.hosting);
  std::vector<std::pair<std::string, Endpoint>> sockets;
  for (size_t i = 0; i < addresses.size(); ++i) {
    std::string socket = NumberedSocket(name, i);
    if (start_.control_fd >= 0 && i > 0 && !start_.sockets.contains(socket)) continue;
    sockets.emplace_back(std::move(socket), Endpoint{addresses[i], port});
  }
  return sockets;
}

Result<std::vector<std::unique_ptr<io::Listener>>> TierProcess::ListenForVisitors(
    const std::string& name, uint16_t port) {
  std::vector<std::unique_ptr<io::Listener>> listeners;
  for (const auto& [socket, at] : VisitorSockets(name, port)) {
    auto listener = Listen(socket, at);
    if (!listener) return Fail(std::move(listener.error()));
    listeners.push_back(std::move(*listener));
  }
  return listeners;
}

// Adds a listener for each loop. A single loop accepts by itself.
Result<void> TierProcess::Share(const std::string& name, Endpoint at, LoopListeners* listeners) {
  Result<io::Fd> socket = OpenListening(name, at);
  if (!socket) return Fail(std::move(socket.error()));
  if (loop_count() == 1) {
    listeners->front().push_back(network_.AdoptListener(std::move(*socket)));
    return {};
  }
  std::vector<io::SharedListener::Place> places;
  for (size_t i = 0; i < loop_count(); ++i) {
    TierLoop on = loops_[i];
    places.push_back({on.driver, on.loop, open_[i]});
  }
  shared_listeners_.push_back(
      std::make_unique<io::SharedListener>(driver_, std::move(*socket), places));
  io::SharedListener& shared = *shared_listeners_.back();
  for (size_t i = 0; i < loop_count(); ++i) (*listeners)[i].push_back(shared.ForLoop(i));
  scope_.Spawn(shared.Run());
  return {};
}

Result<TierProcess::LoopListeners> TierProcess::ListenOnLoops(const std::string& name,
                                                              Endpoint at) {
  LoopListeners listeners(loop_count());
  Result<void> shared = Share(name, at, &listeners);
  if (!shared) return Fail(std::move(shared.error()));
  return listeners;
}

Result<TierProcess::LoopListeners> TierProcess::ListenForVisitorsOnLoops(const std::string& name,
                                                                         uint16_t port) {
  LoopListeners listeners(loop_count());
  for (const auto& [socket, at] : VisitorSockets(name, port)) {
    Result<void> shared = Share(socket, at, &listeners);
    if (!shared) return Fail(std::move(shared.error()));
  }
  return listeners;
}

Result<std::vector<io::Fd>> TierProcess::OpenDatagramsForVisitors(const std::string& name,
                                                                  uint16_t port, size_t threads) {
  std::vector<io::Fd> sockets;
  for (const auto& [of_address, at] : VisitorSockets(name, port)) {
    for (size_t thread = 0; thread < kMaxThreads; ++thread) {
      Result<io::Fd> socket = TakeInherited(SocketOfThread(of_address, thread));
      if (!socket && thread > 0 && (start_.control_fd >= 0 || thread >= threads)) break;
      if (!socket) socket = io::OpenDatagramSocket(at, threads > 1);
      if (!socket) return Fail(std::move(socket.error()));
      sockets.push_back(std::move(*socket));
    }
  }
  return sockets;
}

io::TlsOptions TierProcess::PeerTls() const {
  std::filesystem::path ca = start_.state_directory / "ca";
  std::string own = ca / ("dc-" + here_.name + ".pem");
  return {.certificate_path = own,
          .key_path = own,
          .authorities_path = ca / "authority.pem",
          .peer = io::PeerCertificate::kRequired,
          .accepted_names = PeerNames(site_)};
}

io::TlsOptions TierProcess::WebTls() const {
  std::string web = start_.state_directory / "ca" / "web.pem";
  return {.certificate_path = web, .key_path = web};
}

Result<void> TierProcess::ServeOps(const Service& service) {
  auto listener = Listen("ops", OpsEndpoint(site_, here_, start_.hosting, service.public_port));
  if (!listener) return Fail(std::move(listener.error()));
  http::ServerLimits limits;
  limits.max_connections = kMaxOpsConnections;
  limits.max_body_bytes = 0;
  ops_ = std::make_unique<http::Server>(
      loop_, http::ServerOptions{.limits = limits},
      [this, &service](http::Exchange& exchange) { return AnswerOps(exchange, service); });
  ops_->Serve(std::move(*listener));
  return {};
}

io::Task<void> TierProcess::AnswerOps(http::Exchange& exchange, const Service& service) {
  std::string_view path = exchange.request().path;
  if (path == "/metrics") {
    co_await AnswerMetrics(exchange, metrics_);
  } else if (auto answer = on_ops_.find(path); answer != on_ops_.end()) {
    std::string text = answer->second();
    wire::http::HeaderFields fields;
    fields.Add("Content-Type", "application/json");
    (void)co_await exchange.Respond({.fields = fields}, AsBytes(text));
  } else if (path == kReadyPath) {
    std::string hung = co_await FindHung(service, loop_.After(kLoopAnswerTimeout));
    if (!hung.empty()) {
      (void)co_await http::RespondText(exchange, 503, hung + " hangs\n");
      co_return;
    }
    (void)co_await http::RespondText(exchange, report_.ready ? 200 : 503, report_.detail + "\n");
  } else if (service.inspect && report_.ready) {
    co_await service.inspect(exchange);
  } else {
    (void)co_await http::RespondText(exchange, 404, "here are /metrics and /.meridian/ready\n");
  }
}

void TierProcess::AnswerOnOps(std::string path, std::function<std::string()> json) {
  on_ops_[std::move(path)] = std::move(json);
}

void TierProcess::SetReady(bool ready, std::string detail) {
  report_.ready = ready;
  SetDetail(std::move(detail));
}

void TierProcess::SetDetail(std::string detail) { SetDetailOf("", std::move(detail)); }

void TierProcess::SetDetailOf(const std::string& part, std::string detail) {
  details_[part] = std::move(detail);
  report_.detail.clear();
  for (const auto& [each, text] : details_) {
    if (text.empty()) continue;
    if (!report_.detail.empty()) report_.detail += "; ";
    report_.detail += text;
  }
  report_changed_.WakeAll();
}

void TierProcess::SetLoad(double load_rps, uint64_t connections) {
  report_.load_rps = RoundLoad(load_rps);
  report_.connections = connections;
}

void TierProcess::SetLeaving(uint64_t requests) {
  if (requests == report_.leaving) return;
  report_.leaving = requests;
  if (requests == 0) report_changed_.WakeAll();
}

void TierProcess::SetInstances(std::vector<InstanceReport> instances) {
  report_.instances = std::move(instances);
}

int TierProcess::Run(const Service& service) { return loop_.RunToEnd(Main(service)); }

io::Task<int> TierProcess::Main(const Service& service) {
  std::unique_ptr<io::Stream> control;
  io::Scope background(loop_);
  io::Scope to_the_end(loop_);
  to_the_end.Spawn(EndInTime(service.end_timeout));
  background.Spawn(AwaitSignal());
  if (start_.control_fd >= 0) {
    control = network_.Adopt(io::Fd(start_.control_fd));
    background.Spawn(ReadViews(*control, service));
    background.Spawn(WriteReports(*control));
  }
  Result<void> started = co_await Start(service);
  if (!started && started.error().code != Errc::kCancelled) {
    LOG_ERROR("cannot start", {"problem", started.error().message});
    report_.detail = started.error().message;
    if (control) (void)co_await control->Write(AsBytes(EncodeReport(report_)));
  }
  if (started) co_await ServeUntilStopped(service);
  if (ops_) co_await ops_->Drain(loop_.Now());
  background.Cancel();
  co_await loops_.EndScopes();
  if (service.end) co_await service.end();
  co_await background.Join();
  to_the_end.Cancel();
  co_await to_the_end.Join();
  co_return started || stopping_ ? 0 : 1;
}

// kCancelled: a signal ended it before it served.
io::Task<Result<void>> TierProcess::Start(const Service& service) {
  Result<void> ops = ServeOps(service);
  if (!ops) co_return ops;
  if (start_.control_fd >= 0) co_await AwaitFirstView(service.first_view_timeout);
  if (stopping_) co_return Fail(Errc::kCancelled, "stopped before it served");
  if (service.on_view && view_->number == 0) service.on_view();
  co_return co_await service.start();
}

io::Task<void> TierProcess::AwaitFirstView(Duration timeout) {
  TimePoint deadline = loop_.After(timeout);
  while (view_->number == 0 && !stopping_) {
    if (co_await view_changed_.Wait(deadline)) continue;
    LOG_WARNING("no view from the agent, serving by site.toml alone",
                {"waited_s", Seconds(timeout)});
    co_return;
  }
}

io::Task<void> TierProcess::ServeUntilStopped(const Service& service) {
  if (!stopping_) {
    SetReady(true);
    LOG_INFO("ready");
  }
  while (!stopping_) (void)co_await stop_.Wait();
  if (service.drain) co_await io::Within(loop_.After(kDrainTimeout), service.drain(grace_));
}

io::Task<std::string> TierProcess::FindHung(const Service& service, TimePoint deadline) {
  if (std::string loop = co_await loops_.FindHung(deadline); !loop.empty()) co_return loop;
  std::string thread = service.hung_thread ? service.hung_thread() : "";
  if (!thread.empty()) {
    io::WaitQueue never;
    (void)co_await never.Wait(deadline);
  }
  co_return thread;
}

// The end waits for every loop, and a loop that hangs would keep it waiting.
io::Task<void> TierProcess::EndInTime(Duration timeout) {
  while (!stopping_) {
    if (!co_await stop_.Wait() && !stopping_) co_return;
  }
  if (!co_await io::Sleep(timeout)) co_return;
  LOG_ERROR("a thread hangs, exiting at once", {"waited_s", Seconds(timeout)});
  _exit(EXIT_FAILURE);
}

io::Task<void> TierProcess::AwaitSignal() {
  Result<int> number = co_await signals_.Next();
  while (number && *number == SIGHUP) {
    LOG_INFO(io::kHangupIgnored);
    number = co_await signals_.Next();
  }
  if (!number) co_return;
  LOG_INFO("draining, then exiting", {"signal", *number});
  stopping_ = true;
  if (*number == SIGTERM) grace_ = http::kRetireGrace;
  stop_.WakeAll();
  view_changed_.WakeAll();
}

Result<void> TierProcess::TakeView(std::string_view line, const Service& service) {
  Result<SiteView> view = DecodeView(line);
  if (!view) return Fail(std::move(view.error()));
  if (view->number <= view_->number) return {};
  view_ = std::make_shared<const SiteView>(std::move(*view));
  report_.view_number = view_->number;
  report_changed_.WakeAll();
  if (service.on_view) service.on_view();
  view_changed_.WakeAll();
  return {};
}

io::Task<void> TierProcess::ReadViews(io::Stream& control, const Service& service) {
  LineSplitter splitter(kMaxControlLineBytes);
  std::vector<uint8_t> piece(kControlPiece);
  Result<void> ok;
  while (ok) {
    Result<size_t> got = co_await control.Read(piece);
    if (!got && got.error().code == Errc::kCancelled) co_return;
    if (!got || *got == 0) break;
    std::string_view input = AsText({piece.data(), *got});
    for (bool more = true; more && ok;) {
      auto line = splitter.Take(&input);
      more = line && line->has_value();
      ok = !line ? Result<void>(Fail(line.error())) : more ? TakeView(**line, service) : ok;
    }
  }
  if (!ok) LOG_ERROR("the agent's view cannot be read", {"problem", ok.error().message});
  // Without its agent the data center has ended, so the tier stops at once.
  LOG_ERROR("the agent has ended, exiting");
  _exit(EXIT_FAILURE);
}

io::Task<void> TierProcess::WriteReports(io::Stream& control) {
  for (;;) {
    while (report_ == reported_) {
      Result<void> waited = co_await report_changed_.Wait(loop_.After(kLoadReportInterval));
      if (!waited && waited.error().code == Errc::kCancelled) co_return;
    }
    reported_ = report_;
    if (!co_await control.Write(AsBytes(EncodeReport(reported_)))) co_return;
  }
}

}  // namespace meridian::site
