#include "edge/visitors/access_log.hpp"

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/log_file.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "edge/limits.hpp"
#include "edge/visitors/access_line.hpp"
#include "edge/visitors/access_rule.hpp"
#include "io/blocking.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"

namespace meridian::edge {
namespace {

constexpr const char* kDropped = "meridian_edge_access_log_dropped_total";
constexpr const char* kDroppedHelp = "Lines of the access log that were dropped, and why.";

}  // namespace

AccessLog::AccessLog(io::Loop& loop, Metrics& metrics, AccessRule rule, AccessSink sink)
    : loop_(loop),
      rule_(rule),
      sink_(std::move(sink)),
      wall_(loop.Wall()),
      wall_read_at_(loop.driver().Now()),
      lines_(metrics.AddCounter("meridian_edge_access_log_lines_total",
                                "Lines of the access log that were written.")),
      dropped_full_(metrics.AddCounter(kDropped, kDroppedHelp, {{"reason", "buffer_full"}})),
      dropped_unwritten_(metrics.AddCounter(kDropped, kDroppedHelp, {{"reason", "write_failed"}})) {
  gathered_.text.reserve(kAccessBufferBytes);
  written_.text.reserve(kAccessBufferBytes);
}

void AccessLog::Add(const AccessEntry& entry) {
  if (gathered_.text.size() + kMaxAccessLineBytes > kAccessBufferBytes) return dropped_full_.Add();
  writer_.Append(entry, &gathered_.text);
  ++gathered_.count;
  if (gathered_.text.size() >= kAccessFlushBytes) enough_.WakeOne();
}

io::Task<void> AccessLog::Run() {
  bool more = true;
  while (more) {
    // Lines that came during the last write may already reach kAccessFlushBytes.
    const Duration pause =
        gathered_.text.size() < kAccessFlushBytes ? kAccessFlushInterval : Duration::zero();
    Result<void> waited = co_await enough_.Wait(loop_.After(pause));
    more = waited || waited.error().code == Errc::kTimeout;
    wall_ = loop_.Wall();
    wall_read_at_ = loop_.driver().Now();
    co_await Flush();
  }
}

io::Task<void> AccessLog::Flush() {
  if (gathered_.count == 0) co_return;
  std::swap(gathered_, written_);
  const Result<void> done =
      co_await io::RunBlocking(pool_, [this] { return sink_(written_.text); });
  OnWritten(done, written_.count);
  written_.text.clear();
  written_.count = 0;
}

void AccessLog::OnWritten(const Result<void>& done, uint64_t lines) {
  (done ? lines_ : dropped_unwritten_).Add(lines);
  if (done) {
    if (!problem_.OnSolved()) return;
    LOG_INFO("the access log is written again");
    if (on_problem) on_problem("");
    return;
  }
  const std::string& why = done.error().message;
  if (!problem_.OnProblem(why, loop_.Now())) return;
  LOG_WARNING("lines of the access log are lost", {"problem", why}, {"times", problem_.count()});
  if (on_problem) on_problem(fmt::format("lines of the access log are lost: {}", why));
}

Result<AccessSink> OpenAccessFile(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  auto file = LogFile::Open({.path = path});
  if (!file) return Fail(std::move(file.error()));
  return [shared = std::shared_ptr<LogFile>(std::move(*file)),
          mutex = std::make_shared<std::mutex>(), path](std::string_view lines) -> Result<void> {
    const std::lock_guard lock(*mutex);
    if (!shared->Write(lines)) return FailErrno(errno, path);
    return {};
  };
}

}  // namespace meridian::edge
