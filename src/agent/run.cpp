#include "agent/run.hpp"

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include "agent/admin/admin_server.hpp"
#include "agent/agent.hpp"
#include "agent/certificates.hpp"
#include "agent/context.hpp"
#include "agent/engines/engine_access.hpp"
#include "agent/guard.hpp"
#include "agent/host/host_metrics.hpp"
#include "agent/host/host_reader.hpp"
#include "agent/purges/purges.hpp"
#include "agent/report/startup_report.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/blocking.hpp"
#include "io/descendants.hpp"
#include "io/epoll.hpp"
#include "io/fd.hpp"
#include "io/file/system_disk.hpp"
#include "io/net/stream.hpp"
#include "io/net/tls.hpp"
#include "io/process.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/site.hpp"
#include "site/tier/output_frame.hpp"
#include "site/trust/ca.hpp"
#include "site/trust/certificate_expiries.hpp"
#include "site/trust/password.hpp"

namespace meridian::agent {
namespace {

// Without the guard no process would end this data center's processes after the agent: end them
// now, and exit.
io::Task<void> WatchLifeline(io::Stream& lifeline, std::filesystem::path pid_file) {
  uint8_t byte = 0;
  Result<size_t> got = co_await lifeline.Read({&byte, 1});
  if (!got && got.error().code == Errc::kCancelled) co_return;
  LOG_ERROR("the guard has ended, stopping this data center");
  io::KillDescendants(kKillTimeout);
  unlink(pid_file.c_str());
  _exit(EXIT_FAILURE);
}

io::Task<void> ReapUntilAskedToEnd(io::Signals& signals, const Agent& agent, io::WaitQueue& ended,
                                   bool& asked) {
  for (;;) {
    Result<int> number = co_await signals.Next();
    if (!number) co_return;
    if (*number == SIGCHLD) {
      io::ReapOrphans(agent.Children());
      continue;
    }
    if (*number == SIGHUP) {
      LOG_INFO(io::kHangupIgnored);
      continue;
    }
    LOG_INFO("ending", {"signal", *number});
    asked = true;
    ended.WakeAll();
  }
}

void Report(const RunOptions& options, const Result<void>& outcome) {
  if (!outcome) LOG_ERROR("cannot start", {"problem", outcome.error().message});
  if (options.report_fd >= 0) {
    std::string line = EncodeStartupReport(outcome);
    (void)!write(options.report_fd, line.data(), line.size());
    close(options.report_fd);
  } else if (!outcome) {
    fmt::print(stderr, "meridian: {}: {}\n", options.data_center, outcome.error().message);
  }
}

// Reports what the start waits for to the process that started the agent, at each change.
std::function<void(const std::string&)> WaitReports(int report_fd) {
  if (report_fd < 0) return nullptr;
  return [report_fd, last = std::string(), sent = size_t{0}](const std::string& text) mutable {
    if (text == last || sent == kMaxWaitReports) return;
    last = text;
    ++sent;
    std::string line = EncodeWaitReport(text);
    (void)!write(report_fd, line.data(), line.size());
  };
}

Result<std::shared_ptr<io::TlsContext>> PeerTlsFor(const RunOptions& options, bool server,
                                                   std::vector<std::string> peer_names) {
  std::filesystem::path ca = options.state_directory / "ca";
  std::string own = ca / ("dc-" + options.data_center + ".pem");
  io::TlsOptions tls{
      .certificate_path = own, .key_path = own, .authorities_path = ca / "authority.pem"};
  tls.accepted_names = std::move(peer_names);
  // Operators authenticate with the token instead of a certificate.
  tls.peer = server ? io::PeerCertificate::kOptional : io::PeerCertificate::kRequired;
  return server ? io::TlsContext::ForServer(tls) : io::TlsContext::ForClient(tls);
}

class AgentProcess {
 public:
  AgentProcess(const site::Site& site, const RunOptions& options)
      : options_(options),
        signals_(driver_, {SIGTERM, SIGINT, SIGHUP, SIGCHLD}),
        loop_(driver_),
        network_(driver_),
        context_{.site = site,
                 .here = *site.FindDataCenter(options.data_center),
                 .state_directory = options.state_directory,
                 .program = options.program,
                 .hosting = options.hosting,
                 .watch_password = site::PasswordFor(options.token, site::kWatchPurpose),
                 .prometheus_password = site::PasswordFor(options.token, kPrometheusPurpose),
                 .alertmanager_password = site::PasswordFor(options.token, kAlertmanagerPurpose),
                 .metrics_password = site::PasswordFor(options.token, kMetricsPurpose),
                 .driver = driver_,
                 .loop = loop_,
                 .network = network_,
                 .service_variables = options.service_variables,
                 .worker_variables = options.worker_variables} {}

  int Run() { return loop_.RunToEnd(Main()); }

 private:
  io::Task<int> Main() {
    auto client_tls = PeerTlsFor(options_, false, {});
    auto server_tls = PeerTlsFor(options_, true, site::PeerNames(context_.site));
    if (!client_tls || !server_tls) {
      Report(options_, Fail((client_tls ? server_tls : client_tls).error()));
      co_return EXIT_FAILURE;
    }
    Agent agent(context_, {.answer_ttl = options_.answer_ttl,
                           .roles = options_.roles,
                           .peer_tls = *client_tls,
                           .waits = WaitReports(options_.report_fd)});
    Purges purges(context_, disk_, agent.metrics());
    Result<void> opened = co_await purges.Open();
    if (!opened) {
      Report(options_, opened);
      co_return EXIT_FAILURE;
    }
    HostMetrics host(loop_, pool_, agent.metrics(), HostOptions(agent));
    AdminServer admin(context_, agent, purges, host, options_.token, *server_tls);
    const int status = co_await Serve(agent, purges, admin);
    co_await host.Stop();
    co_return status;
  }

  HostMetrics::Options HostOptions(const Agent& agent) const {
    return {.subjects = [&agent] { return SubjectsOf(agent.Status()); },
            .read =
                [directory = options_.state_directory.string()](const auto& subjects) {
                  return ReadHost({.state_directory = directory}, subjects);
                }};
  }

  io::Task<int> Serve(Agent& agent, Purges& purges, AdminServer& admin) {
    auto lifeline = network_.Adopt(io::Fd(kLifelineFd));
    bool asked = false;
    io::WaitQueue ended;
    const std::filesystem::path ca = options_.state_directory / "ca";
    site::CertificateExpiries expiries(
        agent.metrics(), "meridian_agent_certificate_expiry_timestamp_seconds",
        {{.name = "authority", .path = ca / "authority.pem"},
         {.name = "datacenter", .path = ca / ("dc-" + options_.data_center + ".pem")}});
    io::Scope background(loop_);
    background.Spawn(expiries.Run());
    background.Spawn(
        WatchLifeline(*lifeline, options_.state_directory / "pids" / options_.data_center));
    background.Spawn(certificates_.Run());
    background.Spawn(purges.Run());
    background.Spawn(ReapUntilAskedToEnd(signals_, agent, ended, asked));
    io::Scope starting(loop_);
    Result<void> started = admin.Start();
    if (started) {
      std::optional<Result<void>> outcome;
      starting.Spawn(StartAgent(agent, outcome, ended));
      while (!asked && !outcome) (void)co_await ended.Wait();
      bool decided = outcome.has_value();
      starting.Cancel();
      co_await starting.Join();
      // A cancelled start has an outcome too, but without the reason.
      if (!decided) outcome = Fail(Errc::kCancelled, "it was ended while it started");
      started = *std::move(outcome);
    }
    Report(options_, started);
    while (started && !asked) (void)co_await ended.Wait();
    purges.Stop();
    co_await agent.Stop();
    co_await admin.Stop();
    background.Cancel();
    co_await background.Join();
    co_return started ? EXIT_SUCCESS : EXIT_FAILURE;
  }

  static io::Task<void> StartAgent(Agent& agent, std::optional<Result<void>>& outcome,
                                   io::WaitQueue& ended) {
    Result<void> started = co_await agent.Start();
    outcome = std::move(started);
    ended.WakeAll();
  }

  const RunOptions& options_;
  io::EpollDriver driver_;
  io::Signals signals_;
  io::Loop loop_;
  io::SystemNetwork network_;
  io::BlockingPool pool_;
  io::SystemDisk disk_{pool_};
  Context context_;
  Certificates certificates_{context_};
};

}  // namespace

int RunAgent(const site::Site& site, const RunOptions& options) {
  io::BecomeSubreaper();
  if (options.report_fd >= 0) fcntl(options.report_fd, F_SETFD, FD_CLOEXEC);
  fcntl(kLifelineFd, F_SETFD, FD_CLOEXEC);
  int status = AgentProcess(site, options).Run();
  io::KillDescendants(kKillTimeout);
  return status;
}

}  // namespace meridian::agent
