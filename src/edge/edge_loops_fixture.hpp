// For tests: an edge on several loops with real threads and sockets of the loopback interface, in
// front of an origin that the test plays. The test, its visitors and the origin run on the first
// loop, which is one of the edge's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/metrics.hpp"
#include "edge/config.hpp"
#include "edge/edge_loop.hpp"
#include "edge/fetch/shared_cache.hpp"
#include "edge/upstream_problems.hpp"
#include "http/client/client.hpp"
#include "http/server/server.hpp"
#include "io/epoll.hpp"
#include "io/fd.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/threads/per_loop.hpp"
#include "site/site.hpp"
#include "site/tier/tier_loop.hpp"
#include "site/tier/tier_loops.hpp"
#include "site/view/view.hpp"

namespace meridian::edge {

class EdgeLoopsFixture : public testing::Test {
 protected:
  static constexpr auto kTimeout = std::chrono::seconds{60};

  // One answer as a visitor got it.
  struct Got {
    int status = 0;       // 0: no head
    std::string version;  // the origin's field X-Version
    std::string body;
    bool whole = false;
    bool hit = false;
  };

  // Runs `test` with an edge of `loops` loops; `origin` answers the edge. Then the edge drains,
  // with the fibers of visitors_, which must end when nobody answers them any more.
  void Run(size_t loops, http::Server::Handler origin,
           const std::function<io::Task<void>()>& test) {
    loop_.RunToEnd(RunWith(loops, std::move(origin), test));
  }

  // A client of the edge's loop `index`; each has its own connections.
  std::unique_ptr<http::Client> Visitor(size_t index) {
    return std::make_unique<http::Client>(loop_, network_,
                                          http::Upstream{.address = addresses_[index]});
  }
  // Asks for the head alone; null: there was none.
  static io::Task<std::unique_ptr<http::ClientExchange>> Ask(http::Client& client, std::string path,
                                                             Got* got, std::string method = "GET") {
    http::Sent sent = co_await client.Send({.method = method, .path = path, .host = "a"});
    if (!sent) co_return nullptr;
    auto exchange = std::make_unique<http::ClientExchange>(std::move(*sent));
    auto head = co_await exchange->ReadHead();
    if (!head) co_return nullptr;
    got->status = (*head)->status;
    got->version = (*head)->fields.Find("X-Version").value_or("");
    got->hit = (*head)->fields.Find("Cache-Status").value_or("").contains("; hit");
    co_return exchange;
  }
  // Reads to the end, or until there are `limit` bytes.
  static io::Task<void> ReadBody(http::ClientExchange& exchange, Got* got,
                                 size_t limit = SIZE_MAX) {
    while (got->body.size() < limit) {
      Result<Bytes> data = co_await exchange.ReadBody();
      if (!data) co_return;
      got->whole = data->empty();
      if (got->whole) co_return;
      got->body += AsText(*data);
    }
  }
  io::Task<Got> Get(size_t index, std::string path, std::string method = "GET") {
    auto client = Visitor(index);
    Got got;
    if (auto exchange = co_await Ask(*client, std::move(path), &got, std::move(method))) {
      co_await ReadBody(*exchange, &got);
    }
    co_return got;
  }

  io::EpollDriver driver_;
  io::Loop loop_{driver_};
  io::SystemNetwork network_{driver_};
  io::Scope visitors_{loop_};
  Config config_;
  std::unique_ptr<SharedCache> cache_;
  std::vector<Endpoint> addresses_;  // of the edge's loops

 private:
  io::Task<void> MakeLoops(io::PerLoop<EdgeLoop>& parts, Endpoint origin) {
    std::vector<io::Fd> sockets;
    addresses_.clear();
    for (size_t i = 0; i < parts.size(); ++i) {
      sockets.push_back(io::OpenListeningSocket({IpAddress::V4(127, 0, 0, 1), 0}, {}).value());
      addresses_.push_back(io::LocalEndpoint(sockets.back().get()));
    }
    const EdgeLoop::Options options{.site = site_,
                                    .here = site_.datacenters.front(),
                                    .config = config_,
                                    .fallback_script = fallback_script_,
                                    .data_centers = names_,
                                    .place = 0,
                                    .cache = *cache_,
                                    .upstream_problems = upstream_problems_,
                                    .connections = std::make_shared<http::ConnectionBudget>(10'000),
                                    .origin = http::Upstream{.address = origin}};
    co_await parts.Make([&](size_t index) {
      const site::TierLoop on = (*loops_)[index];
      EdgeLoop::Own own{.view = {.view = view_}};
      own.http.push_back(on.network.AdoptListener(std::move(sockets[index])));
      return std::make_unique<EdgeLoop>(on, options, std::move(own));
    });
  }

  io::Task<void> RunWith(size_t loops, http::Server::Handler handler,
                         const std::function<io::Task<void>()>& test) {
    site_.domain = "a";
    site_.datacenters = {{.name = "here"}};
    Metrics metrics;
    view_ = std::make_shared<site::SiteView>();
    cache_ = std::make_unique<SharedCache>(config_, 42, loops);
    io::Scope fibers(loop_);
    loops_ = std::make_unique<site::TierLoops>(
        "edge", site::TierLoop{0, driver_, loop_, network_, metrics, fibers}, loops);
    http::Server origin(loop_, {}, std::move(handler));
    auto listener = network_.Listen({IpAddress::V4(127, 0, 0, 1), 0}, {}).value();
    const Endpoint at = listener->local();
    origin.Serve(std::move(listener));
    {
      io::PerLoop<EdgeLoop> parts(loops_->scopes());
      co_await MakeLoops(parts, at);
      co_await test();
      co_await parts.ForEach([](EdgeLoop& part) { return part.Drain(Duration::zero()); });
      co_await visitors_.Join();
      // As the process of a tier ends.
      co_await loops_->EndScopes();
      co_await parts.Destroy();
    }
    co_await origin.Drain(loop_.After(kTimeout));
    ExpectNothingIsLeft();
    cache_.reset();
    loops_.reset();
  }

  // All loops have ended: what the store gives back is all that was taken.
  void ExpectNothingIsLeft() {
    cache_->store.DropAll();
    EXPECT_EQ(cache_->store.objects(), 0U);
    EXPECT_EQ(cache_->store.budget()->used(), cache_->store.AuditIndex());
  }

  UpstreamProblems upstream_problems_;
  site::Site site_;
  const std::string fallback_script_;
  const std::vector<std::string> names_ = {"here"};
  std::shared_ptr<const site::SiteView> view_;
  std::unique_ptr<site::TierLoops> loops_;
};

}  // namespace meridian::edge
