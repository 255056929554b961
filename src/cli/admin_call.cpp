#include "cli/admin_call.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <sys/types.h>

#include "agent/report/status.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "cli/around_agent.hpp"
#include "cli/command_line.hpp"
#include "http/client/client.hpp"
#include "http/client/fetch.hpp"
#include "http/limits.hpp"
#include "io/epoll.hpp"
#include "io/file/file_lock.hpp"
#include "io/loop.hpp"
#include "io/net/datagram.hpp"
#include "io/net/network.hpp"
#include "io/net/socket.hpp"
#include "io/net/stream.hpp"
#include "io/net/tls.hpp"
#include "io/port_owner.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/state_dir.hpp"
#include "site/trust/ca.hpp"
#include "site/view/view.hpp"
#include "wire/http/message.hpp"

namespace meridian::cli {
namespace {

constexpr Duration kAgentTimeout = std::chrono::seconds{2};
constexpr Duration kLabTimeout = std::chrono::seconds{5};
constexpr size_t kMaxAnswerBytes = 1024 * 1024;

// A network whose connections all go to one Unix socket.
class UnixNetwork final : public io::Network {
 public:
  UnixNetwork(io::SystemNetwork& network, std::string path)
      : network_(network), path_(std::move(path)) {}

  io::Task<Result<std::unique_ptr<io::Stream>>> Connect(Endpoint /*to*/,
                                                        io::ConnectOptions options) override {
    return network_.ConnectUnix(path_, options.deadline);
  }
  Result<std::unique_ptr<io::Listener>> Listen(Endpoint at, io::ListenOptions options) override {
    return network_.Listen(at, options);
  }
  Result<std::unique_ptr<io::Datagrams>> Bind(Endpoint at) override { return network_.Bind(at); }

 private:
  io::SystemNetwork& network_;
  std::string path_;
};

io::Task<Result<http::Fetched>> Call(io::Loop& loop, io::SystemNetwork& network,
                                     const Deployed& deployed, const site::DataCenter& dc,
                                     const AgentCall& call) {
  auto token = deployed.state.ReadToken();
  if (!token) co_return Fail(token.error());
  auto tls = io::TlsContext::ForClient({.authorities_path = deployed.state.ca() / "authority.pem",
                                        .peer = io::PeerCertificate::kRequired});
  if (!tls) co_return Fail(tls.error());
  http::Client client(loop, network,
                      {.address = {site::PeerAddress(dc), deployed.site.ports.admin},
                       .tls = std::move(*tls),
                       .tls_name = site::PeerName(dc.name, deployed.site)});
  std::string authorization = "Bearer " + token->Reveal();
  wire::http::HeaderFields fields;
  fields.Add("Authorization", authorization);
  if (!call.content_type.empty()) fields.Add("Content-Type", call.content_type);
  size_t mark = call.path.find('?');
  http::Request request{.method = call.method,
                        .path = call.path.substr(0, mark),
                        .host = "agent",
                        .fields = fields,
                        .content = AsBytes(call.body)};
  if (mark != call.path.npos) request.query = call.path.substr(mark + 1);
  if (!call.body.empty()) {
    request.body = {wire::http::BodyFraming::Kind::kContentLength, call.body.size()};
  }
  TimePoint deadline = loop.After(kAgentTimeout + call.timeout);
  co_return co_await http::Fetch(client, request, call.max_answer_bytes, deadline);
}

// The reason why the agent at this data center's address belongs to another site, or nothing: it
// has another authority, or another token.
std::string OtherSite(const Deployed& deployed, const site::DataCenter& dc,
                      const Result<http::Fetched>& answer) {
  constexpr int kUnauthorized = 401;
  bool other = answer ? answer->status == kUnauthorized : answer.error().code == Errc::kPermission;
  if (!other) return "";
  Endpoint at{site::PeerAddress(dc), deployed.site.ports.admin};
  std::string text = fmt::format("the agent at {} is of another site or state directory than {}",
                                 at.ToString(), deployed.state.root().string());
  auto owner = io::OwnerOfPort(at, io::Transport::kTcp);
  if (!owner) return text + ". Give its directory with --state";
  text += fmt::format(": process {}", owner->pid);
  auto state = std::ranges::find(owner->command, "--state");
  if (state == owner->command.end() || state + 1 == owner->command.end()) return text;
  return text + ". See: meridian status --state " + *(state + 1);
}

io::Task<void> AskOne(io::Loop& loop, io::SystemNetwork& network, const Deployed& deployed,
                      const site::DataCenter& dc, agent::DataCenterStatus* into) {
  auto answer =
      co_await Call(loop, network, deployed, dc, {.method = "GET", .path = "/.meridian/status"});
  if (answer && answer->status == 200) {
    auto status = agent::DecodeStatus(answer->body);
    if (status) *into = std::move(*status);
    if (!status) into->problem = status.error().message;
    co_return;
  }
  if (std::string other = OtherSite(deployed, dc, answer); !other.empty()) {
    into->state = agent::kUnknownState;
    into->problem = std::move(other);
    co_return;
  }
  std::string problem = answer ? fmt::format("its agent refused to say (status {})", answer->status)
                               : "its agent does not answer (" + answer.error().message + ")";
  co_await AskAroundAgent(loop, network, deployed.site, dc, into);
  if (into->state != site::StateName(site::DataCenterState::kDown)) {
    into->problem = std::move(problem);
  }
}

io::Task<void> CallInto(io::Loop& loop, io::SystemNetwork& network, const Deployed& deployed,
                        const site::DataCenter& dc, const AgentCall& call,
                        Result<http::Fetched>* into) {
  *into = co_await Call(loop, network, deployed, dc, call);
}

io::Task<void> CallAll(io::Loop& loop, io::SystemNetwork& network, const Deployed& deployed,
                       const AgentCall& call, std::vector<Result<http::Fetched>>* all) {
  io::Scope scope(loop);
  for (size_t i = 0; i < all->size(); ++i) {
    scope.Spawn(CallInto(loop, network, deployed, deployed.site.datacenters[i], call, &(*all)[i]));
  }
  co_await scope.Join();
}

// The caller keeps `request` until the answer.
io::Task<Result<http::Fetched>> AskLab(http::Client& client, http::Request request,
                                       TimePoint deadline) {
  co_return co_await http::Fetch(client, request, kMaxAnswerBytes, deadline);
}

io::Task<void> AskAll(io::Loop& loop, io::SystemNetwork& network, const Deployed& deployed,
                      std::vector<agent::DataCenterStatus>* all) {
  io::Scope scope(loop);
  for (size_t i = 0; i < all->size(); ++i) {
    scope.Spawn(AskOne(loop, network, deployed, deployed.site.datacenters[i], &(*all)[i]));
  }
  co_await scope.Join();
}

}  // namespace

Result<http::Fetched> CallAgent(const Deployed& deployed, const site::DataCenter& dc,
                                const AgentCall& call) {
  io::EpollDriver driver;
  io::Loop loop(driver);
  io::SystemNetwork network(driver);
  return loop.RunToEnd(Call(loop, network, deployed, dc, call));
}

io::Task<Result<http::Fetched>> CallAgentOn(io::Loop& loop, io::SystemNetwork& network,
                                            const Deployed& deployed, const site::DataCenter& dc,
                                            const AgentCall& call) {
  co_return co_await Call(loop, network, deployed, dc, call);
}

std::vector<Result<http::Fetched>> CallAgents(const Deployed& deployed, const AgentCall& call) {
  io::EpollDriver driver;
  io::Loop loop(driver);
  io::SystemNetwork network(driver);
  std::vector<Result<http::Fetched>> all(deployed.site.datacenters.size());
  loop.RunToEnd(CallAll(loop, network, deployed, call, &all));
  return all;
}

Result<http::Fetched> CallLab(const site::StateDir& state, const LabCall& call) {
  io::EpollDriver driver;
  io::Loop loop(driver);
  io::SystemNetwork system(driver);
  UnixNetwork network(system, state.lab_socket().string());
  http::ClientLimits limits;
  limits.head_timeout = Duration::max();
  http::Client client(loop, network, {}, limits);
  auto ask = [&](std::string_view method, std::string_view path, Duration timeout) {
    size_t mark = path.find('?');
    http::Request request{.method = method, .path = path.substr(0, mark), .host = "lab"};
    if (mark != path.npos) request.query = path.substr(mark + 1);
    return loop.RunToEnd(AskLab(client, request, loop.After(timeout)));
  };
  // Any answer to this shows that the lab runs; the next request may take longer.
  Result<http::Fetched> awake = ask("GET", "/", kLabTimeout);
  if (awake) awake = ask(call.method, call.path, call.timeout);
  if (awake || awake.error().code != Errc::kTimeout) return awake;
  pid_t pid = io::FileLock::Holder(state.lock());
  return Fail(Errc::kTimeout,
              "the lab does not answer. If it is stopped, let it go on: kill -CONT {0}; or end it "
              "with everything in it: kill -9 {0}",
              pid);
}

std::vector<agent::DataCenterStatus> AskStatus(const Deployed& deployed) {
  std::vector<agent::DataCenterStatus> all;
  for (const site::DataCenter& dc : deployed.site.datacenters) {
    all.push_back(agent::DownStatus(dc));
  }
  io::EpollDriver driver;
  io::Loop loop(driver);
  io::SystemNetwork network(driver);
  loop.RunToEnd(AskAll(loop, network, deployed, &all));
  return all;
}

}  // namespace meridian::cli
