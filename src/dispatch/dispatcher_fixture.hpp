// For tests: a dispatcher over simulated instances, on memory streams and simulated time.
#pragma once

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/metrics.hpp"
#include "base/metrics_text.hpp"
#include "dispatch/dispatcher.hpp"
#include "dispatch/health_checks.hpp"
#include "dispatch/roster.hpp"
#include "http/memory_stream.hpp"
#include "http/raw_peer.hpp"
#include "http/relay.hpp"
#include "http/server/server.hpp"
#include "io/net/network.hpp"
#include "io/scope.hpp"
#include "io/wait_queue.hpp"
#include "site/tier/internal_fields.hpp"

namespace meridian::dispatch {

// One simulated instance of the application.
struct PlayedInstance {
  enum class Mode : uint8_t { kAnswer, kRefuse, kHang, kBreak };
  Mode mode = Mode::kAnswer;  // to requests; health checks are answered unless kRefuse
  int status = 200;
  bool checks_good = true;
  int requests = 0;  // received, without health checks
  int connects = 0;
  size_t open = 0;        // connections
  size_t max_open = 0;    // at the same time
  std::string seen = {};  // the requested paths, each followed by a space
  std::string head = {};  // of the last request
  bool holds = false;     // requests wait until released
  io::WaitQueue held = {};
};

// A network where each instance listens on the port of its number.
class PlayedNetwork final : public io::Network {
 public:
  explicit PlayedNetwork(io::Loop& loop) : connections_(loop) {}

  PlayedInstance& operator[](int port) { return instances_[port]; }

  io::Task<Result<std::unique_ptr<io::Stream>>> Connect(Endpoint to, io::ConnectOptions) override {
    PlayedInstance& instance = instances_[to.port];
    ++instance.connects;
    if (instance.mode == PlayedInstance::Mode::kRefuse) {
      co_return Fail(Errc::kRefused, "{}: refused", to.ToString());
    }
    auto [ours, theirs] = http::MemoryStream::Pair();
    connections_.Spawn(Serve(instance, std::move(theirs)));
    co_return std::move(ours);
  }
  Result<std::unique_ptr<io::Listener>> Listen(Endpoint, io::ListenOptions) override {
    return Fail(Errc::kUnavailable, "nothing listens here");
  }
  Result<std::unique_ptr<io::Datagrams>> Bind(Endpoint) override {
    return Fail(Errc::kUnavailable, "no datagrams here");
  }

  io::Task<void> End() {
    connections_.Cancel();
    co_await connections_.Join();
  }

 private:
  static std::string Answer(int status, std::string_view body) {
    return fmt::format("HTTP/1.1 {} Status\r\nContent-Length: {}\r\n\r\n{}", status, body.size(),
                       body);
  }

  io::Task<void> Serve(PlayedInstance& instance, std::unique_ptr<http::MemoryStream> stream) {
    instance.max_open = std::max(instance.max_open, ++instance.open);
    http::RawPeer peer(*stream);
    while (co_await AnswerNext(instance, peer)) {
    }
    stream->Close();
    --instance.open;
  }

  // False: the connection is to be closed.
  io::Task<bool> AnswerNext(PlayedInstance& instance, http::RawPeer& peer) {
    std::string head = co_await peer.ReadHead();
    if (!head.ends_with("\r\n\r\n")) co_return false;
    std::string path = head.substr(head.find(' ') + 1);
    path.resize(path.find(' '));
    if (path == "/health") {
      co_return co_await peer.Send(Answer(instance.checks_good ? 200 : 500, ""));
    }
    ++instance.requests;
    instance.seen += path + " ";
    instance.head = head;
    if (instance.mode == PlayedInstance::Mode::kBreak) co_return false;
    if (instance.mode == PlayedInstance::Mode::kHang) {
      (void)co_await io::Sleep(std::chrono::hours{10});
      co_return false;
    }
    if (instance.holds && !co_await instance.held.Wait()) co_return false;
    co_return co_await peer.Send(Answer(instance.status, path));
  }

  io::Scope connections_;
  std::map<int, PlayedInstance> instances_;
};

class DispatcherFixture : public testing::Test {
 protected:
  // The entry of requests to the dispatcher.
  virtual http::Server::Handler MakeHandler() {
    return [this](http::Exchange& exchange) { return Forward(exchange); };
  }
  io::Task<void> Forward(http::Exchange& exchange) {
    wire::http::HeaderFields fields;
    http::CopyRequestFields(exchange.request(), {}, &fields);
    const http::RelayOptions relay;
    bool debug = exchange.request().fields.Find(site::kDebugField) == "1";
    Outcome outcome = co_await dispatcher_->Forward(
        {.exchange = exchange, .fields = fields, .relay = relay, .debug = debug});
    if (outcome.kind == Outcome::Kind::kAnswered) co_return;
    bool failed = outcome.kind == Outcome::Kind::kFailed;
    std::string_view kind = outcome.kind == Outcome::Kind::kBusy ? "busy" : "unavailable";
    (void)co_await http::RespondText(exchange, failed ? http::FailureStatus(outcome.error) : 503,
                                     failed ? "failed" : kind);
  }

  // Runs the coroutine `test()` beside the dispatcher, and then stops everything.
  template <class Test>
  void Run(Test test) {
    io::Scope scope(loop_);
    Roster roster(loop_, config_, "balancer", metrics_, Random(2));
    HealthChecks checks(loop_, network_, scope, {.path = "/health", .host = "a"}, roster);
    Dispatcher dispatcher(loop_, network_, roster, {.tier = "balancer", .data_center = "here"},
                          metrics_, Random(1));
    roster_ = &roster;
    checks_ = &checks;
    scope_of_checks_ = &scope;
    dispatcher_ = &dispatcher;
    http::Server server(loop_, {}, MakeHandler());
    server_ = &server;
    auto run = [&]() -> io::Task<void> {
      co_await test();
      co_await server.Drain(loop_.After(std::chrono::seconds{1}));
      roster.SetInstances({});
      scope.Cancel();
      co_await scope.Join();
      co_await Yield();  // the idle connections are closed
      co_await network_.End();
    };
    loop_.RunToEnd(run());
  }

  static site::InstanceView View(uint16_t port,
                                 site::InstanceState state = site::InstanceState::kHealthy) {
    return {.id = "i" + std::to_string(port),
            .datacenter = "here",
            .address = {IpAddress::V4(127, 0, 0, 1), port},
            .state = state};
  }
  // Sets a view in which the agent calls these instances healthy.
  void SetInstances(std::initializer_list<uint16_t> ports) {
    std::vector<site::InstanceView> views;
    for (uint16_t port : ports) views.push_back(View(port));
    SetViews(views);
  }
  void SetViews(const std::vector<site::InstanceView>& views) {
    roster_->SetInstances(views);
    checks_->Follow();
  }

  std::unique_ptr<http::MemoryStream> Connect() {
    auto [ours, theirs] = http::MemoryStream::Pair();
    server_->ServeStream(std::move(theirs));
    return std::move(ours);
  }

  // Sends one request on a new connection; returns the whole answer.
  io::Task<std::string> Fetch(std::string method, std::string path = "/", std::string fields = {}) {
    auto stream = Connect();
    http::RawPeer peer(*stream);
    (void)co_await peer.Send(method + " " + path + " HTTP/1.1\r\nHost: a\r\n" +
                             (method == "POST" ? "Content-Length: 0\r\n" : "") + fields +
                             "Connection: close\r\n\r\n");
    std::string answer = co_await peer.ReadToEnd();
    stream->Close();
    co_return answer;
  }
  // The same; returns the status.
  io::Task<std::string> Status(std::string method, std::string path = "/") {
    std::string answer = co_await Fetch(std::move(method), std::move(path));
    co_return answer.size() < 12 ? answer : answer.substr(9, 3);
  }
  io::Task<void> StoreAnswer(std::string path, std::string* into) {
    *into = co_await Fetch("GET", std::move(path));
  }
  io::Task<void> Yield() { (void)co_await io::Sleep(std::chrono::milliseconds{1}); }

  // The value of the metric whose line begins with `name` and a space.
  double Metric(const std::string& name) const {
    std::string text = MetricsText(metrics_);
    size_t at = text.find("\n" + name + " ");
    double value = -1;
    if (at == std::string::npos) return value;
    std::from_chars(text.data() + at + name.size() + 2, text.data() + text.size(), value);
    return value;
  }

  http::JumpingDriver driver_;
  io::Loop loop_{driver_};
  PlayedNetwork network_{loop_};
  Config config_;
  Metrics metrics_;
  Roster* roster_ = nullptr;
  HealthChecks* checks_ = nullptr;
  io::Scope* scope_of_checks_ = nullptr;
  Dispatcher* dispatcher_ = nullptr;
  http::Server* server_ = nullptr;
};

}  // namespace meridian::dispatch
