#include "agent/purges/purge_journal.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "agent/limits.hpp"
#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/limits.hpp"
#include "site/view/purge.hpp"

namespace meridian::agent {
namespace {

constexpr std::string_view kHeader =
    "meridian-purges 1 ";  // followed by the identity and the first number
constexpr size_t kHashDigits = 16;

std::string Line(std::string_view text) { return fmt::format("{:016x} {}\n", Hash64(text), text); }

// The number if all of `text` is a number.
std::optional<uint64_t> ReadNumber(std::string_view text, int base) {
  uint64_t number = 0;
  auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  bool whole = error == std::errc() && stopped == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

// The text that Line wrote; none: damaged.
std::optional<std::string_view> TextOf(std::string_view line) {
  if (line.size() <= kHashDigits || line[kHashDigits] != ' ') return std::nullopt;
  std::string_view text = line.substr(kHashDigits + 1);
  return ReadNumber(line.substr(0, kHashDigits), 16) == Hash64(text) ? std::optional(text)
                                                                     : std::nullopt;
}

}  // namespace

struct PurgeJournal::Batch {
  std::vector<site::PurgeOrder> orders;
  std::optional<Result<uint64_t>> first;  // the first order's number, once all orders are on disk
};

PurgeJournal::PurgeJournal(io::Disk& disk, std::string folder, const std::string& name,
                           Random random)
    : disk_(disk),
      folder_(std::move(folder)),
      name_(name),
      random_(random),
      next_batch_(std::make_shared<Batch>()) {}

void PurgeJournal::Begin() {
  entries_.clear();
  entry_bytes_ = 0;
  oldest_ = 1;
  id_ = 1 + random_.Below((uint64_t{1} << 53) - 1);
}

std::string PurgeJournal::Header() const {
  return Line(fmt::format("{}{} {}", kHeader, id_, oldest_));
}

bool PurgeJournal::TakeHeader(std::string_view text) {
  if (!text.starts_with(kHeader)) return false;
  text.remove_prefix(kHeader.size());
  size_t space = std::min(text.find(' '), text.size());
  std::optional<uint64_t> id = ReadNumber(text.substr(0, space), 10);
  std::optional<uint64_t> oldest = ReadNumber(text.substr(std::min(space + 1, text.size())), 10);
  if (!id || !oldest || *id == 0 || *oldest == 0) return false;
  id_ = *id;
  oldest_ = *oldest;
  return true;
}

bool PurgeJournal::TakeLine(std::string_view line) {
  std::optional<std::string_view> text = TextOf(line);
  if (!text) return false;
  if (id_ == 0) return TakeHeader(*text);
  Result<site::PurgeEntry> entry = site::ReadPurgeEntry(*text);
  if (!entry || entry->number != newest() + 1) return false;
  entry_bytes_ += entry->order.value.size();
  entries_.push_back(std::move(entry->order));
  EvictOldest();
  return true;
}

// True if `text` is a journal without damage, except for an unfinished last line.
bool PurgeJournal::Take(std::string_view text) {
  while (!text.empty()) {
    size_t end = text.find('\n');
    if (end == std::string_view::npos) break;
    if (!TakeLine(text.substr(0, end))) return id_ != 0 && text.find('\n', end + 1) == text.npos;
    text.remove_prefix(end + 1);
  }
  return id_ != 0;
}

io::Task<Result<void>> PurgeJournal::Open() {
  auto file = co_await disk_.Open(path(), io::OpenMode::kRead);
  if (!file && file.error().code != Errc::kNotFound) co_return Fail(std::move(file.error()));
  id_ = 0;
  if (file) {
    Result<uint64_t> size = co_await (*file)->Size();
    if (!size) co_return Fail(std::move(size.error()));
    std::string text(std::min<uint64_t>(*size, kMaxPurgeFileBytes), '\0');
    Result<size_t> got =
        co_await (*file)->ReadAt(0, {reinterpret_cast<uint8_t*>(text.data()), text.size()});
    if (!got) co_return Fail(std::move(got.error()));
    bool whole = *got == *size && Take(text);
    if (!whole) {
      LOG_ERROR(
          "the purge journal is damaged: a new journal starts, and every edge clears its cache",
          {"file", path()});
      id_ = 0;
    }
  }
  if (id_ == 0) Begin();
  // The rewrite also removes the unfinished line.
  co_return co_await Rewrite();
}

// Removes the oldest orders beyond the limits.
void PurgeJournal::EvictOldest() {
  while (entries_.size() > kMaxPurges || entry_bytes_ > kMaxPurgeBytes) {
    entry_bytes_ -= entries_.front().value.size();
    entries_.pop_front();
    ++oldest_;
  }
}

io::Task<Result<void>> PurgeJournal::Rewrite() {
  file_ = nullptr;
  std::string text = Header();
  for (size_t i = 0; i < entries_.size(); ++i) {
    text += Line(site::ToJson({.number = oldest_ + i, .order = entries_[i]}));
  }
  std::string fresh = path() + ".new";
  auto file = co_await disk_.Open(fresh, io::OpenMode::kCreate);
  if (!file) co_return Fail(std::move(file.error()));
  Result<void> done = co_await (*file)->Truncate(0);
  if (done) done = co_await (*file)->WriteAt(0, AsBytes(text));
  if (done) done = co_await (*file)->Sync();
  if (done) done = co_await disk_.Rename(fresh, path());
  if (done) done = co_await disk_.SyncFolder(folder_);
  if (!done) co_return done;
  file_ = std::move(*file);
  file_bytes_ = text.size();
  lines_ = entries_.size();
  co_return Result<void>{};
}

io::Task<Result<uint64_t>> PurgeJournal::Append(site::PurgeOrder order) {
  std::shared_ptr<Batch> batch = next_batch_;
  size_t place = batch->orders.size();
  if (place >= kMaxPurgesInBatch) co_return Fail(Errc::kUnavailable, "too many purges at once");
  batch->orders.push_back(std::move(order));
  appended_.WakeAll();
  while (!batch->first) {
    Result<void> waited = co_await written_.Wait();
    if (!waited) co_return Fail(std::move(waited.error()));
  }
  if (!*batch->first) co_return Fail(batch->first->error());
  co_return **batch->first + place;
}

io::Task<void> PurgeJournal::Run() {
  for (;;) {
    while (next_batch_->orders.empty()) {
      if (!co_await appended_.Wait()) co_return;
    }
    std::shared_ptr<Batch> batch = std::exchange(next_batch_, std::make_shared<Batch>());
    uint64_t first = newest() + 1;
    Result<void> written = co_await WriteBatch(*batch);
    bool safe = written.has_value();
    if (safe) {
      batch->first = first;
    } else {
      LOG_ERROR("a purge could not be written", {"problem", written.error().message});
      batch->first = Fail(std::move(written.error()));
    }
    // The sender of an order learns its number before an edge can confirm it.
    written_.WakeAll();
    if (safe) grown_.WakeAll();
  }
}

io::Task<Result<void>> PurgeJournal::WriteBatch(Batch& batch) {
  // After a failed write or sync the file's content is unknown, so all orders are written to a new
  // file.
  if (file_ == nullptr || lines_ > 2 * kMaxPurges || file_bytes_ > kMaxPurgeFileBytes / 2) {
    Result<void> rewritten = co_await Rewrite();
    if (!rewritten) co_return rewritten;
  }
  std::string text;
  uint64_t number = newest();
  for (const site::PurgeOrder& order : batch.orders) {
    text += Line(site::ToJson({.number = ++number, .order = order}));
  }
  Result<void> done = co_await file_->WriteAt(file_bytes_, AsBytes(text));
  if (done) done = co_await file_->Sync();
  if (!done) {
    file_ = nullptr;
    co_return done;
  }
  file_bytes_ += text.size();
  lines_ += batch.orders.size();
  for (site::PurgeOrder& order : batch.orders) {
    entry_bytes_ += order.value.size();
    entries_.push_back(std::move(order));
    EvictOldest();
  }
  co_return Result<void>{};
}

site::PurgePollAnswer PurgeJournal::After(uint64_t after) const {
  site::PurgePollAnswer answer{.journal = id_, .oldest = oldest_, .newest = newest()};
  for (uint64_t number = std::max(after + 1, oldest_);
       number <= newest() && answer.entries.size() < site::kMaxPurgesInAnswer; ++number) {
    answer.entries.push_back({.number = number, .order = entries_[number - oldest_]});
  }
  return answer;
}

}  // namespace meridian::agent
