#include "watch/watch.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/core.h>
#include <unistd.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "http/exchange.hpp"
#include "http/server/server.hpp"
#include "io/blocking.hpp"
#include "io/descriptors.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/ports.hpp"
#include "site/secret.hpp"
#include "site/site.hpp"
#include "site/state_dir.hpp"
#include "site/tier/output_frame.hpp"
#include "site/tier/tier_process.hpp"
#include "site/tier_description.hpp"
#include "site/trust/bearer.hpp"
#include "site/trust/password.hpp"
#include "watch/config.hpp"
#include "watch/copies/copies.hpp"
#include "watch/limits.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/log_store.hpp"
#include "watch/log/remote/limits.hpp"
#include "watch/own_lines/own_lines.hpp"
#include "watch/own_lines/own_sources.hpp"

namespace meridian::watch {
namespace {

http::ServerOptions Options() {
  http::ServerOptions options;
  options.limits.max_connections = io::FittingConnections("watch", kMaxPortConnections, 1);
  options.limits.max_body_bytes = kMaxQueryMessageBytes;
  options.limits.header_timeout = kRequestTimeout;
  options.limits.body_timeout = kRequestTimeout;
  return options;
}

// The password that the agent derives from the same file.
Result<site::Secret> ReadPassword(const std::filesystem::path& state_directory) {
  auto state = site::StateDir::Open(state_directory);
  auto token = state ? state->ReadToken() : Fail(state.error());
  if (!token) return Fail(std::move(token.error()));
  return site::PasswordFor(*token, site::kWatchPurpose);
}

// `folder` and its parent, with no rights for others: lines of logs may be secret.
Result<void> MakePrivateFolder(const std::filesystem::path& folder) {
  for (const std::filesystem::path& each : {folder.parent_path(), folder}) {
    std::error_code error;
    std::filesystem::create_directory(each, error);
    if (!error) {
      std::filesystem::permissions(each, std::filesystem::perms::owner_all, error);
    }
    if (error) return FailErrno(error.value(), each.string());
  }
  return {};
}

std::string HostName() {
  std::array<char, kMaxOriginFieldBytes> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "";
}

// What it keeps beside others' files in the state directory.
std::filesystem::path FolderOf(const site::TierProcess& process) {
  return process.start().state_directory / ("watch-" + process.here().name);
}

OwnLinesOptions OwnOptions(const site::TierProcess& process, const Config& config) {
  return {.positions = FolderOf(process) / "positions",
          .data_center = process.here().name,
          .host = HostName(),
          .sources = OwnSourcesOf({.site = process.site(),
                                   .here = process.here(),
                                   .hosting = process.start().hosting,
                                   .state_directory = process.start().state_directory,
                                   .access_log = config.access_log})};
}

}  // namespace

Watch::Watch(site::TierProcess& process)
    : process_(process),
      config_(process.site().sections.Get<Config>()),
      pool_(kPoolThreads),
      metrics_(process.metrics()),
      intake_(process.loop(), process.here().name),
      own_lines_(OwnOptions(process, config_), process.loop(), pool_),
      copies_(process, FolderOf(process) / "copies", config_.copy_bytes),
      searches_(process.loop(), metrics_,
                [this](std::string_view name) { return copies_.Find(name); }),
      storing_(process.loop()),
      background_(process.loop()) {}

Watch::~Watch() = default;

int Watch::Run() {
  return process_.Run({.public_port = process_.site().ports.watch,
                       .start = [this] { return Start(); },
                       .drain = [this](Duration grace) { return Drain(grace); }});
}

io::Task<Result<void>> Watch::Start() {
  auto password = ReadPassword(process_.start().state_directory);
  if (!password) co_return Fail(std::move(password.error()));
  password_ = std::move(*password);
  auto listener =
      process_.Listen("http", Endpoint{process_.HostAddress(), process_.site().ports.watch});
  if (!listener) co_return Fail(std::move(listener.error()));
  Result<void> peers = copies_.Start();
  if (!peers) co_return peers;
  Result<void> opened = co_await OpenStore();
  if (!opened) background_.Spawn(KeepOpening());
  server_ = std::make_unique<http::Server>(
      process_.loop(), Options(), [this](http::Exchange& exchange) { return Handle(exchange); });
  server_->Serve(std::move(*listener));
  background_.Spawn(Report());
  co_return Result<void>{};
}

io::Task<Result<void>> Watch::OpenStore() {
  const auto folder = FolderOf(process_) / "log";
  Result<void> opened =
      co_await io::RunBlocking(pool_, [&folder] { return MakePrivateFolder(folder); });
  if (opened) {
    Random random(EntropySeed());
    auto store = co_await LogStore::Open(
        {.folder = folder.string(),
         .max_bytes = config_.log_bytes,
         .first_segment = static_cast<uint32_t>(1 + random.Below(kFirstSegments))},
        process_.loop(), pool_, files_);
    if (store) store_ = std::move(*store);
    if (!store) opened = Fail(std::move(store.error()));
  }
  if (!opened) {
    if (open_problem_ != opened.error().message) {
      LOG_ERROR("the log store cannot be opened", {"problem", opened.error().message});
    }
    open_problem_ = opened.error().message;
    searches_.SetProblem(open_problem_);
    co_return opened;
  }
  open_problem_.clear();
  storing_.Spawn(store_->Run());
  intake_.Open(*store_);
  searches_.Open(*store_);
  background_.Spawn(own_lines_.Run(*store_));
  copies_.Open(*store_);
  const uint32_t recovered = store_->status().recovered_lines;
  if (recovered > 0) LOG_INFO("lines of a segment that was open are kept", {"lines", recovered});
  co_return opened;
}

io::Task<void> Watch::KeepOpening() {
  while (co_await io::Sleep(kOpenRetryInterval)) {
    if (co_await OpenStore()) co_return;
  }
}

io::Task<void> Watch::Report() {
  do {
    if (store_) metrics_.Update(store_->status(), intake_.counts(), own_lines_.counts());
    copies_.Update();
    process_.SetDetail(Problem());
    process_.SetDetailOf("copies", copies_.Problem());
  } while (co_await io::Sleep(kReportInterval));
}

std::string Watch::Problem() {
  const std::string advice =
      fmt::format("free space on the disk of {}", process_.start().state_directory.string());
  if (!store_) {
    return fmt::format("no lines are kept: {}; {}", open_problem_, advice);
  }
  const LogStoreStatus status = store_->status();
  std::string text;
  if (!status.problem.empty()) {
    text = fmt::format("lines are not kept: {}; {}", status.problem, advice);
  }
  if (const uint64_t loss = status.refused + status.lost; loss > counted_loss_) {
    counted_loss_ = loss;
    loss_told_until_ = process_.loop().After(kRecentLoss);
  }
  if (process_.loop().Now() < loss_told_until_) {
    text += fmt::format("{}{} entries were lost since its start: the disk is too slow or full",
                        text.empty() ? "" : "; ", counted_loss_);
  }
  if (!searches_.damage().empty()) text += (text.empty() ? "" : "; ") + searches_.damage();
  return text;
}

io::Task<void> Watch::Handle(http::Exchange& exchange) {
  const auto& request = exchange.request();
  if (!site::ShowsSecret(request.fields, password_)) {
    metrics_.unauthorized().Add();
    // Does not wait for the body, so that a stranger cannot occupy a connection with it.
    (void)co_await exchange.Respond(
        {.status = 401, .fields = {{"Content-Type", "text/plain; charset=utf-8"}}, .close = true},
        AsBytes("this port is for the agent; use: meridian logs\n"));
  } else if (request.path == site::kOutputPath && request.method == "GET") {
    co_await intake_.Serve(exchange);
  } else if (request.path == site::kLogSearchPath && request.method == "POST") {
    co_await searches_.Answer(exchange);
  } else {
    (void)co_await http::RespondText(exchange, 404, "no such request\n");
  }
}

// Followers wait in the store, so the server is drained, which ends them, before it is closed.
io::Task<void> Watch::Drain(Duration /*grace*/) {
  intake_.Close();
  if (server_) co_await server_->Drain(process_.loop().After(kDrainTime));
  background_.Cancel();
  co_await background_.Join();
  searches_.Close();
  storing_.Cancel();  // at the same time as the copies' stores
  co_await copies_.Stop();
  co_await storing_.Join();
  if (store_) co_await own_lines_.Finish(*store_);
}

namespace {

int Run(const site::Site& site, site::TierStart start) {
  site::TierProcess process(site, std::move(start));
  return Watch(process).Run();
}

}  // namespace

site::TierDescription Describe() {
  return {.name = "watch",
          .summary = "The watch tier of a data center, by itself",
          .ports = {{.port = &site::Ports::watch},
                    {.key = "prometheus_port", .port = &site::Ports::prometheus},
                    {.key = "alertmanager_port", .port = &site::Ports::alertmanager}},
          .sockets = {{.name = "http", .port = &site::Ports::watch},
                      {.name = "peer",
                       .port = &site::Ports::watch,
                       .audience = site::Audience::kPeers}},
          .serves_application = true,
          .needed_to_serve = false,
          .needs_table = true,
          .external_schemes = {"http", "https"},
          .runs_with_external = true,
          .section = ConfigSection(),
          .run = &Run};
}

}  // namespace meridian::watch
