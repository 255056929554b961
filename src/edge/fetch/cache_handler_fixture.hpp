// For tests: a cache's handler on simulated time; the test plays both the visitors and the origin.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.hpp"
#include "edge/config.hpp"
#include "edge/fetch/cache_handler.hpp"
#include "edge/fetch/forwarder.hpp"
#include "edge/fetch/shared_cache.hpp"
#include "edge/fetch/upstreams.hpp"
#include "edge/limits.hpp"
#include "http/memory_network.hpp"
#include "http/server/server_fixture.hpp"
#include "io/scope.hpp"

namespace meridian::edge {

class CacheHandlerFixture : public http::ServerFixture {
 protected:
  CacheHandlerFixture() {
    handler_ = [this](http::Exchange& exchange) { return cache_.Handle(exchange, {}); };
  }

  // Runs `script`, which plays the origin, beside the server.
  template <class Script>
  void RunScript(Script script) {
    auto run = [&](http::MemoryStream& /*unused*/) -> io::Task<void> {
      co_await script();
      // Closes the visitors' connections, and with them the origin's.
      visitors_.clear();
      scope_.Cancel();
      co_await scope_.Join();
    };
    Run(run);
  }

  // Sends a GET for `path` as a new visitor; `fields` are whole lines.
  io::Task<http::MemoryStream*> Visit(std::string path, std::string fields = {}) {
    visitors_.push_back(Connect());
    std::string request =
        "GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + fields + "\r\n";
    (void)co_await http::RawPeer(*visitors_.back()).Send(request);
    (void)co_await io::Sleep(std::chrono::seconds{1});
    co_return visitors_.back().get();
  }
  // Sends a request without a body on a new connection, and returns the visitor's end of it at
  // once.
  io::Task<http::MemoryStream*> Ask(std::string method, std::string path) {
    visitors_.push_back(Connect());
    (void)co_await http::RawPeer(*visitors_.back())
        .Send(method + " " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    co_return visitors_.back().get();
  }
  // Sends a DELETE, which the origin answers with 204.
  io::Task<void> Delete(std::string path) {
    http::MemoryStream* visitor = co_await Ask("DELETE", std::move(path));
    auto origin = co_await Asked();
    (void)co_await http::RawPeer(*origin).Send("HTTP/1.1 204 No Content\r\n\r\n");
    EXPECT_TRUE((co_await AnswerTo(visitor)).starts_with("HTTP/1.1 204"));
  }
  // Accepts the next connection at the origin and reads its request.
  io::Task<std::unique_ptr<http::MemoryStream>> Asked() {
    std::unique_ptr<http::MemoryStream> stream = co_await network_.Accept();
    (void)co_await http::RawPeer(*stream).ReadHead();
    co_return stream;
  }
  static io::Task<std::string> AnswerTo(http::MemoryStream* visitor) {
    co_return co_await http::RawPeer(*visitor).ReadToEnd();
  }
  void Purge(const PurgeOrder& order) { (void)cache_.store().Purge(order, loop_.Now()); }

  class OneUpstream final : public Upstreams {
   public:
    explicit OneUpstream(http::Client* client)
        : route_(std::make_shared<std::vector<Hop>>(
              std::vector<Hop>{{.name = "origin", .client = client, .crosses = false}})) {}
    void Leave() { route_ = std::make_shared<std::vector<Hop>>(); }
    Route RouteFor(bool /*passed_edge*/) const override { return route_; }

   private:
    Route route_;
  };

  http::MemoryNetwork network_;
  http::Client client_{loop_,
                       network_,
                       {.address = {IpAddress::V4(127, 0, 0, 1), 80}},
                       {.max_connections = kMaxUpstreamConnections}};
  OneUpstream upstream_{&client_};
  Metrics metrics_of_edge_;
  Config config_;
  UpstreamProblems upstream_problems_;
  Forwarder forwarder_{upstream_, upstream_problems_, metrics_of_edge_};
  io::Scope scope_{loop_};
  SharedCache shared_{config_, 42, 1};
  CacheHandler cache_{{.loop = loop_,
                       .scope = scope_,
                       .shared = shared_,
                       .forwarder = forwarder_,
                       .metrics = metrics_of_edge_,
                       .config = config_,
                       .default_host = "a",
                       .here = "here"}};
  std::vector<std::unique_ptr<http::MemoryStream>> visitors_;
};

}  // namespace meridian::edge
