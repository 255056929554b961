#include "cli/admin_call.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/status.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "cli/command_line.hpp"
#include "http/client.hpp"
#include "http/fetch.hpp"
#include "http/limits.hpp"
#include "io/datagram.hpp"
#include "io/epoll.hpp"
#include "io/loop.hpp"
#include "io/network.hpp"
#include "io/scope.hpp"
#include "io/socket.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"
#include "io/tls.hpp"
#include "site/ca.hpp"
#include "site/site.hpp"
#include "wire/http/message.hpp"

namespace meridian::cli {
namespace {

constexpr Duration kAgentTimeout = std::chrono::seconds{2};
constexpr size_t kMaxAnswerBytes = 1024 * 1024;

// Every connection leads to one Unix socket.
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
                                     std::string_view method, std::string_view path) {
  auto token = deployed.state.ReadToken();
  if (!token) co_return Fail(token.error());
  auto tls = io::TlsContext::ForClient({.authorities_path = deployed.state.ca() / "authority.pem",
                                        .peer = io::PeerCertificate::kRequired});
  if (!tls) co_return Fail(tls.error());
  http::Client client(loop, network,
                      {.address = {dc.address, deployed.site.ports.admin},
                       .tls = std::move(*tls),
                       .tls_name = site::PeerName(dc.name, deployed.site)});
  std::string authorization = "Bearer " + token->Reveal();
  wire::http::HeaderFields fields;
  fields.Add("Authorization", authorization);
  http::Request request{.method = method, .path = path, .host = "agent", .fields = fields};
  co_return co_await http::Fetch(client, request, kMaxAnswerBytes, loop.After(kAgentTimeout));
}

io::Task<void> AskOne(io::Loop& loop, io::SystemNetwork& network, const Deployed& deployed,
                      const site::DataCenter& dc, agent::DataCenterStatus* into) {
  auto answer = co_await Call(loop, network, deployed, dc, "GET", "/.meridian/status");
  if (!answer || answer->status != 200) co_return;
  auto status = agent::DecodeStatus(answer->body);
  if (status) *into = std::move(*status);
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
                                std::string_view method, std::string_view path) {
  io::EpollDriver driver;
  io::Loop loop(driver);
  io::SystemNetwork network(driver);
  return loop.RunToEnd(Call(loop, network, deployed, dc, method, path));
}

Result<http::Fetched> CallLab(const site::StateDir& state, std::string_view path) {
  io::EpollDriver driver;
  io::Loop loop(driver);
  io::SystemNetwork system(driver);
  UnixNetwork network(system, state.lab_socket().string());
  auto call = [&]() -> io::Task<Result<http::Fetched>> {
    http::ClientLimits limits;
    limits.head_timeout = Duration::max();
    http::Client client(loop, network, {}, limits);
    http::Request request{.method = "POST", .path = path, .host = "lab"};
    co_return co_await http::Fetch(client, request, kMaxAnswerBytes, kNever);
  };
  return loop.RunToEnd(call());
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
