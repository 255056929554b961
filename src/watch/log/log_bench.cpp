// The benchmark of the log store: `log_bench LINES QUERIES FOLDER`. Feeds seeded lines of about 150
// bytes through LogSource, then searches; every page is compared with what a plain scan of the same
// lines finds. Prints one JSON object; bench/watch.py runs it. The exit status is 1 if an answer
// was wrong.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/format.h>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "io/blocking.hpp"
#include "io/epoll.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "proc/intake_quota.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/lines/line_reader.hpp"
#include "watch/log/log_fixture.hpp"
#include "watch/log/log_source.hpp"
#include "watch/log/log_store.hpp"
#include "watch/log/search/log_query.hpp"
#include "watch/log/search/log_search.hpp"
#include "watch/log/segment/log_files.hpp"

namespace meridian::watch {
namespace {

constexpr proc::IntakeLimits kNoLimit = {.bytes_per_second = uint64_t{1} << 40,
                                         .burst_bytes = uint64_t{1} << 40};
constexpr uint64_t kSeed = 20261121;
constexpr size_t kPieceLines = 400;
constexpr size_t kPageEntries = 100;

double CpuSeconds(clockid_t clock) {
  timespec time{};
  CHECK(clock_gettime(clock, &time) == 0);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// What arrives at once from a pipe.
struct Piece {
  std::string bytes;
  Arrival at;
};

// Output of a site's processes: half of it JSON of ours, half an access log.
class OutputMaker {
 public:
  OutputMaker() : random_(kSeed) {
    Random words(kSeed + 1);
    for (std::string& event : events_) {
      for (int i = 0; i < 4; ++i) event += Word(words) + (i < 3 ? " " : "");
    }
  }

  Piece Next(size_t lines) {
    Piece piece{.at = {.now = now_, .wall = kLogStart + (now_ - TimePoint{})}};
    for (size_t i = 0; i < lines; ++i) {
      piece.bytes += random_.Chance(0.5) ? Json(piece.at.wall) : Access();
      piece.bytes += '\n';
    }
    now_ += std::chrono::milliseconds(100);
    return piece;
  }

 private:
  static constexpr std::array<std::string_view, 12> kSyllables = {
      "re", "lo", "mi", "ta", "con", "ser", "ver", "pa", "qu", "zo", "shard", "link"};
  static std::string Word(Random& random) {
    std::string word;
    for (uint64_t i = 2 + random.Below(2); i > 0; --i)
      word += kSyllables[random.Below(kSyllables.size())];
    return word;
  }
  // The first ones often, the last ones hardly ever.
  const std::string& Event() {
    double place = random_.Unit() * random_.Unit() * random_.Unit();
    return events_[static_cast<size_t>(place * static_cast<double>(events_.size()))];
  }
  std::string Address() {
    return fmt::format("10.{}.{}.{}", random_.Below(8), random_.Below(256), random_.Below(256));
  }
  std::string Json(WallTime wall) {
    auto micros = ToLogTime(wall).time_since_epoch().count() % 1'000'000;
    auto seconds = ToLogTime(wall).time_since_epoch().count() / 1'000'000 % 86'400;
    return fmt::format(
        R"({{"time":"2026-11-21T{:02}:{:02}:{:02}.{:06}Z","level":"{}","process":"edge","event":"{}","request":"{:016x}","peer":"{}:{}","ms":{}}})",
        seconds / 3600, seconds / 60 % 60, seconds % 60, micros,
        random_.Chance(0.99) ? "info" : "error", Event(), random_.Next(), Address(),
        random_.Below(65536), random_.Below(3000));
  }
  std::string Access() {
    return fmt::format(
        R"~({} - user{} "GET /{}/{:08x}/large.jpg HTTP/1.1" {} {} "Mozilla/5.0 (X11; Linux x86_64; rv:140.0)" {}us {})~",
        Address(), random_.Below(2'000'000), Word(random_), random_.Next() & 0xffffffff,
        random_.Chance(0.95) ? 200 : 404, random_.Below(200'000), random_.Below(100'000), Event());
  }

  Random random_;
  TimePoint now_{};
  std::array<std::string, 2000> events_;
};

// --- Ingest

struct Ingested {
  double cpu_seconds = 0;
  double seconds = 0;
  uint64_t text_bytes = 0;
  std::vector<std::string> samples;
};

io::Task<Ingested> Ingest(LogStore& store, io::Loop& loop, size_t lines) {
  Ingested result;
  OutputMaker maker;
  LogSource source({.dc = "us-east", .host = "a", .tier = "app", .instance = "us-east-1"}, kNoLimit,
                   store);
  double cpu_begin = CpuSeconds(CLOCK_PROCESS_CPUTIME_ID);
  double made = 0;
  TimePoint begin = loop.driver().Now();
  Arrival last{};
  for (size_t done = 0; done < lines; done += kPieceLines) {
    double make_begin = CpuSeconds(CLOCK_THREAD_CPUTIME_ID);
    Piece piece = maker.Next(std::min(kPieceLines, lines - done));
    if (result.samples.size() < 5000 &&
        done / kPieceLines % (lines / kPieceLines / 5000 + 1) == 0) {
      result.samples.push_back(piece.bytes.substr(0, piece.bytes.find('\n')));
    }
    made += CpuSeconds(CLOCK_THREAD_CPUTIME_ID) - make_begin;
    result.text_bytes += piece.bytes.size();
    last = piece.at;
    source.Feed(piece.bytes, piece.at);
    co_await io::AfterOthers{};
    constexpr uint64_t kBusy = uint64_t{8} << 20;
    while (store.status().waiting_bytes > kBusy)
      (void)co_await io::Sleep(std::chrono::milliseconds(1));
  }
  source.Finish(last);
  CHECK(source.refused_entries() == 0);
  while (store.status().waiting_bytes > 0) (void)co_await io::Sleep(std::chrono::milliseconds(1));
  result.cpu_seconds = CpuSeconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_begin - made;
  result.seconds = Seconds(loop.driver().Now() - begin);
  co_return result;
}

// --- Queries

struct Asked {
  LogQuery query;
  std::string kind;
  double seconds = 0;
  double cpu_seconds = 0;  // of all threads: what it takes on a machine that does nothing else
  std::vector<std::pair<LogTime, std::string>> answer;  // times and texts, in the order of the page
  std::vector<std::pair<LogTime, std::string>> expected;  // by the scan, as many
};

std::string Pick(const std::string& line, Random& random) {
  // Behind the time of our own lines, which is no text.
  std::string_view rest = std::string_view(line).substr(line.starts_with('{') ? 50 : 0);
  for (;;) {
    size_t at = random.Below(rest.size());
    constexpr std::string_view kOutside = " \":,{}()?;";
    size_t begin = rest.find_last_of(kOutside, at);
    begin = begin == std::string_view::npos ? 0 : begin + 1;
    size_t end = std::min(rest.find_first_of(kOutside, begin), rest.size());
    std::string_view picked = rest.substr(begin, end - begin);
    if (picked.size() > 2 && picked != "level" && picked != "info" && picked != "event" &&
        picked != "error")
      return std::string(picked);
  }
}

std::vector<Asked> MakeQueries(const std::vector<std::string>& samples, size_t count, LogTime end) {
  Random random(kSeed + 2);
  std::vector<Asked> queries;
  auto sample = [&] { return Pick(samples[random.Below(samples.size())], random); };
  auto word = [&](bool has_digit) {
    for (;;) {
      std::string term = sample();
      if (std::ranges::any_of(term, [](char c) { return c >= '0' && c <= '9'; }) == has_digit)
        return term;
    }
  };
  for (size_t i = 0; i < count; ++i) {
    Asked asked{.query = {.limit = kPageEntries}};
    std::string words;
    switch (i % 5) {
      case 0:
        asked.kind = "a word";
        words = word(false);
        break;
      case 1:
        asked.kind = "an id or address";
        words = word(true);
        break;
      case 2:
        asked.kind = "two words of different lines";
        words = word(false) + " " + word(false);
        break;
      case 3: {
        asked.kind = "two words of one line";
        const std::string& line = samples[random.Below(samples.size())];
        words = Pick(line, random) + " " + Pick(line, random);
        break;
      }
      default:
        asked.kind = "a word that is nowhere, or half an address";
        words = random.Chance(0.5) ? word(false) + "x"
                                   : fmt::format("10.{}.{}", random.Below(8), random.Below(256));
    }
    auto terms = ParseTerms(words);
    CHECK(terms);
    asked.query.terms = *terms;
    if (random.Chance(0.4))
      asked.query.from = kLogStart + (end - kLogStart) * random.Below(100) / 100;
    if (random.Chance(0.3))
      asked.query.until = kLogStart + (end - kLogStart) * random.Below(100) / 100;
    if (random.Chance(0.2)) asked.query.order = LogOrder::kOldestFirst;
    queries.push_back(std::move(asked));
  }
  return queries;
}

io::Task<void> Ask(LogStore& store, io::Loop& loop, std::vector<Asked>& queries) {
  for (Asked& asked : queries) {
    TimePoint begin = loop.driver().Now();
    double cpu_begin = CpuSeconds(CLOCK_PROCESS_CPUTIME_ID);
    auto page = co_await store.Search(asked.query, kNever);
    asked.seconds = Seconds(loop.driver().Now() - begin);
    asked.cpu_seconds = CpuSeconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_begin;
    CHECK(page && page->problems.empty() && !page->timed_out);
    for (LogEntry& entry : page->entries)
      asked.answer.emplace_back(entry.time, entry.text + entry.fields);
  }
}

// The same lines once more, each against all queries: as grep would.
void Scan(size_t lines, std::vector<Asked>& queries) {
  OutputMaker maker;
  LineReader reader(kNoLimit);
  std::vector<ArrivedLine> arrived;
  Arrival last{};
  uint64_t sequence = 0;
  std::vector<std::vector<LogEntry>> kept(queries.size());
  auto trim = [&](size_t i) {
    kept[i] = ReferenceSearch(kept[i], queries[i].query);
    if (kept[i].size() > kPageEntries) kept[i].resize(kPageEntries);
  };
  for (size_t done = 0; done < lines; done += kPieceLines) {
    Piece piece = maker.Next(std::min(kPieceLines, lines - done));
    last = piece.at;
    reader.Feed(piece.bytes, piece.at, &arrived);
    if (done + kPieceLines >= lines) reader.Finish(last, &arrived);
    for (ArrivedLine& line : arrived) {
      LogEntry entry{.time = line.line.time.value_or(line.arrival), .sequence = sequence++};
      entry.severity = line.line.severity;
      entry.text = std::move(line.line.text);
      entry.fields = std::move(line.line.fields);
      std::string folded = ReferenceFolded(ReferenceText(entry));
      for (size_t i = 0; i < queries.size(); ++i) {
        const LogQuery& query = queries[i].query;
        if (!std::ranges::all_of(query.terms,
                                 [&](const std::string& term) { return folded.contains(term); }))
          continue;
        if (!ReferenceMatches(entry, query)) continue;
        kept[i].push_back(entry);
        if (kept[i].size() >= 50 * kPageEntries) trim(i);
      }
    }
    arrived.clear();
  }
  for (size_t i = 0; i < queries.size(); ++i) {
    trim(i);
    for (LogEntry& entry : kept[i])
      queries[i].expected.emplace_back(entry.time, entry.text + entry.fields);
  }
}

// --- The report

double Percentile(std::vector<double> values, double part) {
  std::ranges::sort(values);
  return values[std::min(values.size() - 1,
                         static_cast<size_t>(part * static_cast<double>(values.size())))];
}

int Report(size_t lines, const Ingested& ingested, uint64_t disk_bytes,
           const std::vector<Asked>& queries) {
  std::vector<double> seconds;
  std::vector<double> cpu_seconds;
  size_t wrong = 0;
  size_t found = 0;
  for (const Asked& asked : queries) {
    seconds.push_back(asked.seconds);
    cpu_seconds.push_back(asked.cpu_seconds);
    found += asked.answer.empty() ? 0 : 1;
    bool is_right = asked.answer == asked.expected;
    wrong += is_right ? 0 : 1;
    if (!is_right || asked.seconds > Percentile(seconds, 0.95)) {
      fmt::print(stderr, "{} {:.0f} ms, CPU {:.0f} ms, {} found, {}: {}\n",
                 is_right ? "slow:" : "WRONG:", asked.seconds * 1e3, asked.cpu_seconds * 1e3,
                 asked.answer.size(), asked.kind, fmt::join(asked.query.terms, " "));
    }
  }
  auto count = static_cast<double>(lines);
  fmt::print(
      R"({{"lines":{},"line_bytes":{:.1f},"lines_per_cpu_second":{:.0f},"lines_per_second":{:.0f},"disk_bytes_per_line":{:.1f},)"
      R"("queries":{},"queries_that_found":{},"wrong":{},"p50_ms":{:.1f},"p95_ms":{:.1f},"max_ms":{:.1f},"p50_cpu_ms":{:.1f},"p95_cpu_ms":{:.1f},"max_cpu_ms":{:.1f}}})"
      "\n",
      lines, static_cast<double>(ingested.text_bytes) / count, count / ingested.cpu_seconds,
      count / ingested.seconds, static_cast<double>(disk_bytes) / count, queries.size(), found,
      wrong, Percentile(seconds, 0.5) * 1e3, Percentile(seconds, 0.95) * 1e3,
      Percentile(seconds, 1) * 1e3, Percentile(cpu_seconds, 0.5) * 1e3,
      Percentile(cpu_seconds, 0.95) * 1e3, Percentile(cpu_seconds, 1) * 1e3);
  return wrong == 0 ? 0 : 1;
}

io::Task<int> Run(io::Loop& loop, io::BlockingPool& pool, size_t lines, size_t count,
                  std::string folder) {
  LogFiles files;
  LogStoreOptions options{
      .folder = std::move(folder), .max_bytes = uint64_t{1} << 40, .reserve_bytes = 0};
  auto store = co_await LogStore::Open(options, loop, pool, files);
  if (!store) {
    fmt::print(stderr, "{}\n", store.error().message);
    co_return 2;
  }
  io::Scope scope(loop);
  scope.Spawn((*store)->Run());
  Ingested ingested = co_await Ingest(**store, loop, lines);
  // What was still open is closed, so that all of it counts.
  scope.Cancel();
  co_await scope.Join();
  uint64_t disk_bytes = (*store)->status().bytes;
  OutputMaker maker;
  LogTime end = kLogStart + std::chrono::milliseconds(100) * (lines / kPieceLines);
  std::vector<Asked> queries = MakeQueries(ingested.samples, count, end);
  co_await Ask(**store, loop, queries);
  Scan(lines, queries);
  co_return Report(lines, ingested, disk_bytes, queries);
}

}  // namespace
}  // namespace meridian::watch

int main(int argc, char** argv) {
  auto number = [](std::string_view text) {
    size_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  if (argc != 4 || number(argv[1]) == 0 || number(argv[2]) == 0) {
    fmt::print(stderr, "use: log_bench LINES QUERIES FOLDER\n");
    return 2;
  }
  meridian::io::EpollDriver driver;
  meridian::io::Loop loop(driver);
  meridian::io::BlockingPool pool(2);
  return loop.RunToEnd(meridian::watch::Run(loop, pool, number(argv[1]), number(argv[2]), argv[3]));
}
