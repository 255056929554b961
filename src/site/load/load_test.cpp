#include "site/load/load.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "site/load/table_reader.hpp"

namespace meridian::site {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

// A section like a tier's, with a key of each type.
enum class Steering { kNearest, kWeighted };
struct SteeringConfig {
  Steering steering = Steering::kNearest;
  Duration ttl{};
  int64_t retries = 0;
  double spill = 0;
  bool cookies = false;
  std::string home;
  std::map<std::string, std::string> map;
  struct Place {
    std::string name;
    IpPrefix prefix;
    Location location;
  };
  std::vector<Place> places;
};

SteeringConfig ParseSteering(TableReader& reader, const Site& site) {
  SteeringConfig config;
  config.steering = reader.Choice<Steering>(
      "steering", {{"nearest", Steering::kNearest}, {"weighted", Steering::kWeighted}},
      Steering::kNearest);
  config.ttl = reader.Duration("ttl", {.min = 1s, .max = 24h, .fallback = 30s});
  config.retries = reader.Integer("retries", {.min = 0, .max = 5, .fallback = 2});
  config.spill = reader.Number("spill", {.min = 0, .max = 1, .fallback = 0.5});
  config.cookies = reader.Boolean("cookies", true);
  if (reader.Has("home")) config.home = ReadDataCenterName(reader, "home", site);
  TableReader map = reader.Table("map");
  for (const std::string& place : map.Names()) {
    config.map[place] = ReadDataCenterName(map, place, site);
  }
  for (TableReader& place : reader.Tables("place", {.max = 3})) {
    config.places.push_back(
        {.name = place.Text("name"),
         .prefix = place.Prefix("prefix").value_or(IpPrefix{}),
         .location = {.latitude = place.Number("latitude", {.min = -90, .max = 90}),
                      .longitude = place.Number("longitude", {.min = -180, .max = 180})}});
  }
  return config;
}

// Tiers with the names and ports of the program's tiers.
std::vector<TierDescription> Tiers() {
  return {{.name = "session",
           .ports = {{.port = &Ports::session}},
           .external_schemes = {"redis", "rediss"}},
          {.name = "queue",
           .ports = {{.port = &Ports::queue}},
           .needs_table = true,
           .external_schemes = {"kafka", "kafka+ssl"}},
          {.name = "watch", .ports = {{.port = &Ports::watch}}, .needs_table = true},
          {.name = "balancer", .ports = {{.port = &Ports::balancer}}},
          {.name = "edge",
           .ports = {{.port = &Ports::edge}, {.key = "https_port", .port = &Ports::edge_https}},
           .has_threads = true},
          {.name = "dns",
           .ports = {{.port = &Ports::dns}},
           .section = Section::Of<SteeringConfig>("dns", &ParseSteering)}};
}

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::filesystem::path TestData() { return std::filesystem::absolute(MERIDIAN_TESTDATA); }

std::expected<Site, Diagnostics> ParseText(const std::string& text) {
  return Parse({.text = text, .file = "/srv/photos/site.toml"}, Tiers());
}

std::string ErrorsOf(const std::string& text) {
  std::expected<Site, Diagnostics> site = ParseText(text);
  return site ? "no errors" : site.error().Render();
}

constexpr std::string_view kSmallest = R"(domain = "photos.example"
[[datacenter]]
name = "us-east"
address = "127.1.0.1"
location = "Ashburn"
[app]
command = ["node", "server.js"]
)";

std::string WithSmallest(std::string_view more) { return std::string(kSmallest).append(more); }

std::vector<std::string_view> TierNames(const Site& site) {
  std::vector<std::string_view> names;
  for (const TierDescription& tier : site.tiers) names.push_back(tier.name);
  return names;
}

TEST(Load, TierThatNeedsItsTableRunsWhereTheFileHasIt) {
  std::expected<Site, Diagnostics> without = ParseText(WithSmallest(""));
  std::expected<Site, Diagnostics> with = ParseText(WithSmallest("[queue]\n"));
  ASSERT_TRUE(without && with);
  EXPECT_THAT(TierNames(*without), ElementsAre("session", "balancer", "edge", "dns"));
  EXPECT_THAT(TierNames(*with), ElementsAre("session", "queue", "balancer", "edge", "dns"));
}

TEST(Load, PortOfATierThatDoesNotRunIsFree) {
  EXPECT_EQ(ErrorsOf(WithSmallest("[edge]\nport = 9092\n")), "no errors");
  EXPECT_THAT(ErrorsOf(WithSmallest("[edge]\nport = 9092\n[queue]\n")),
              HasSubstr("port 9092 would be"));
}

TEST(Load, SmallestSiteHasTheDefaultsOfTheContract) {
  std::expected<Site, Diagnostics> site = ParseText(std::string(kSmallest));
  ASSERT_TRUE(site) << site.error().Render();
  EXPECT_EQ(site->name, "photos");
  EXPECT_EQ(site->domain, "photos.example");
  EXPECT_EQ(site->file, "/srv/photos/site.toml");
  ASSERT_EQ(site->datacenters.size(), 1u);
  const DataCenter& data_center = site->datacenters[0];
  EXPECT_THAT(data_center.public_addresses, ElementsAre(IpAddress::V4(127, 1, 0, 1)));
  EXPECT_NEAR(data_center.location.latitude, 39.04, 0.1);
  EXPECT_EQ(data_center.weight, 100u);
  EXPECT_EQ(data_center.capacity_rps, 0u);
  EXPECT_EQ(site->app.directory, "/srv/photos");
  EXPECT_EQ(site->app.health_path, "/");
  EXPECT_EQ(site->app.metrics_path, "");
  EXPECT_EQ(site->app.instances, 2u);
  EXPECT_EQ(site->app.start_timeout, 30s);
  const Ports& ports = site->ports;
  EXPECT_THAT(std::vector({ports.dns, ports.edge, ports.edge_https, ports.balancer, ports.admin,
                           ports.session}),
              ElementsAre(5300, 8080, 8443, 8000, 9000, 6379));
  EXPECT_EQ(OpsPort(ports.edge), 18080);
  EXPECT_EQ(PeerPort(ports.edge), 28080);
}

TEST(Load, EveryKeyIsRead) {
  std::expected<Site, Diagnostics> site = Load(TestData() / "every_key.toml", Tiers());
  ASSERT_TRUE(site) << site.error().Render();
  EXPECT_EQ(site->name, "shop");
  ASSERT_EQ(site->datacenters.size(), 3u);
  const DataCenter& east = site->datacenters[0];
  EXPECT_FALSE(east.edge_only);
  EXPECT_THAT(east.public_addresses,
              ElementsAre(IpAddress::V4(192, 0, 2, 1), *IpAddress::Parse("2001:db8::1")));
  EXPECT_EQ(east.private_address, IpAddress::V4(10, 100, 0, 1));
  EXPECT_EQ(east.city, "ashburn");
  EXPECT_EQ(east.weight, 80u);
  EXPECT_EQ(east.capacity_rps, 5000u);
  const DataCenter& nairobi = site->datacenters[1];
  EXPECT_EQ(nairobi.city, "");
  EXPECT_EQ(nairobi.private_address, std::nullopt);
  EXPECT_EQ(nairobi.location, (Location{.latitude = -1, .longitude = 36.8}));
  EXPECT_EQ(site->FindDataCenter("eu"), nullptr);
  EXPECT_TRUE(site->FindDataCenter("london")->edge_only);
  EXPECT_EQ(site->FindDataCenter("nairobi"), &nairobi);

  EXPECT_THAT(site->app.command, ElementsAre("./bin/server", "--verbose"));
  EXPECT_EQ(site->app.directory, TestData() / "app");
  EXPECT_EQ(site->app.health_path, "/health?deep=1");
  EXPECT_EQ(site->app.metrics_path, "/metrics");
  EXPECT_EQ(site->app.instances, 3u);
  EXPECT_EQ(site->app.release, "2026-05-01.2");
  EXPECT_THAT(site->app.environment,
              ElementsAre(Pair("EMPTY", ""), Pair("NODE_ENV", "production")));
  EXPECT_EQ(site->app.start_timeout, 1min);
  EXPECT_EQ(site->app.stop_timeout, 2500ms);
  EXPECT_EQ(site->app.unhealthy_timeout, 45s);
  ASSERT_EQ(site->workers.size(), 2u);
  const Worker& thumbnail = site->workers[0];
  EXPECT_EQ(thumbnail.name, "thumbnail");
  EXPECT_THAT(thumbnail.command, ElementsAre("./bin/thumbnail"));
  EXPECT_EQ(thumbnail.directory, TestData() / "app");
  EXPECT_EQ(thumbnail.instances, 2u);
  EXPECT_EQ(thumbnail.topic, "uploads");
  EXPECT_EQ(thumbnail.group, "thumbnails");
  EXPECT_EQ(thumbnail.retries, 3u);
  EXPECT_EQ(thumbnail.metrics_path, "/stats");
  EXPECT_THAT(thumbnail.environment, ElementsAre(Pair("SIZE", "320")));
  EXPECT_EQ(thumbnail.stop_timeout, 45s);
  const Worker& cron = site->workers[1];
  EXPECT_EQ(cron.directory, TestData());
  EXPECT_EQ(cron.instances, 1u);
  EXPECT_EQ(cron.topic, "");
  EXPECT_EQ(cron.group, "cron");
  EXPECT_EQ(cron.retries, 0u);
  EXPECT_EQ(cron.stop_timeout, 10s);
  EXPECT_EQ(site->agent.hung_timeout, 20s);
  EXPECT_EQ(site->ports.edge, 80);
  EXPECT_EQ(site->ports.edge_https, 443);
  EXPECT_EQ(site->externals.at("queue").shown, "kafka://k1.internal:9092,k2.internal:9092");
  EXPECT_EQ(site->externals.at("queue").url.Reveal(),
            "kafka://k1.internal:9092,k2.internal:9092/?acks=all");
}

TEST(Load, ThreadsAreAKeyOfTheTiersThatHaveThem) {
  auto site = ParseText(std::string(kSmallest) + "[agent]\ncores = 6\n[edge]\nthreads = 3\n");
  ASSERT_TRUE(site) << site.error().Render();
  EXPECT_EQ(site->agent.cores, 6u);
  EXPECT_THAT(site->threads, ElementsAre(Pair("edge", 3u)));
  EXPECT_THAT(ErrorsOf(std::string(kSmallest) + "[edge]\nthreads = 0\n"), HasSubstr("threads"));
  EXPECT_THAT(ErrorsOf(std::string(kSmallest) + "[edge]\nthreads = 65\n"), HasSubstr("threads"));
  EXPECT_THAT(ErrorsOf(std::string(kSmallest) + "[balancer]\nthreads = 2\n"), HasSubstr("threads"));
}

TEST(Load, ExampleIsTheSiteOfTheTour) {
  std::filesystem::path example = TestData() / "../../../examples/photos/site.toml";
  std::expected<Site, Diagnostics> site = Load(example, Tiers());
  ASSERT_TRUE(site) << site.error().Render();
  EXPECT_EQ(site->domain, "photos.example");
  EXPECT_EQ(site->FindDataCenter("us-east")->address, IpAddress::V4(127, 1, 0, 1));
  EXPECT_EQ(site->FindDataCenter("us-west")->location, FindCity("San Jose"));
  EXPECT_EQ(site->app.directory, example.lexically_normal().parent_path());
  EXPECT_EQ(site->sections.Get<SteeringConfig>().places.size(), 3u);
}

TEST(Load, TierFindsItsSettingsByTheirType) {
  std::expected<Site, Diagnostics> site = Load(TestData() / "every_key.toml", Tiers());
  ASSERT_TRUE(site) << site.error().Render();
  Site copy = *site;
  const SteeringConfig& config = copy.sections.Get<SteeringConfig>();
  EXPECT_EQ(&config, &site->sections.Get<SteeringConfig>());
  EXPECT_EQ(config.steering, Steering::kWeighted);
  EXPECT_EQ(config.ttl, 5s);
  EXPECT_EQ(config.retries, 5);
  EXPECT_EQ(config.spill, 1.0);
  EXPECT_FALSE(config.cookies);
  EXPECT_EQ(config.home, "nairobi");
  EXPECT_THAT(config.map, ElementsAre(Pair("oregon", "us-east")));
  ASSERT_EQ(config.places.size(), 1u);
  EXPECT_EQ(config.places[0].prefix.ToString(), "203.0.113.0/24");
}

TEST(Load, SectionOfAnAbsentTableHasItsDefaults) {
  std::expected<Site, Diagnostics> site = ParseText(std::string(kSmallest));
  ASSERT_TRUE(site);
  EXPECT_EQ(site->sections.Get<SteeringConfig>().ttl, 30s);
}

TEST(Load, SettingsOfASiteWithoutAFileArePut) {
  SectionValues values;
  values.Put(SteeringConfig{.retries = 4, .home = {}, .map = {}, .places = {}});
  EXPECT_EQ(values.Get<SteeringConfig>().retries, 4);
  EXPECT_DEATH((void)values.Get<Location>(), "CHECK failed");
}

// The errors of testdata/NAME.toml are exactly testdata/NAME.txt. After a deliberate change,
// UPDATE_GOLDEN=1 rewrites these files; read the difference.
class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, ErrorsAreTheConversationInTheFile) {
  std::filesystem::path toml = TestData() / (GetParam() + ".toml");
  std::filesystem::path expected = TestData() / (GetParam() + ".txt");
  std::expected<Site, Diagnostics> site =
      Parse({.text = ReadAll(toml), .file = "/srv/site.toml"}, Tiers());
  ASSERT_FALSE(site);
  if (std::getenv("UPDATE_GOLDEN")) std::ofstream(expected) << site.error().Render();
  EXPECT_EQ(site.error().Render(), ReadAll(expected));
}

std::vector<std::string> GoldenNames() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(TestData())) {
    bool is_case = entry.path().extension() == ".toml" && entry.path().stem() != "every_key";
    if (is_case) names.push_back(entry.path().stem());
  }
  std::ranges::sort(names);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Site, Golden, testing::ValuesIn(GoldenNames()),
                         [](const auto& test) { return test.param; });

TEST(Load, DataCentersUpToTheLimitAndNotOneMore) {
  auto with = [](size_t count) {
    std::string text = "domain = \"photos.example\"\n[app]\ncommand = [\"true\"]\n";
    for (size_t i = 1; i <= count; ++i) {
      text += fmt::format(
          "[[datacenter]]\nname = \"dc{0}\"\naddress = \"127.{0}.0.1\"\nlocation = \"Oslo\"\n", i);
    }
    return text;
  };
  EXPECT_EQ(ErrorsOf(with(kMaxDataCenters)), "no errors");
  EXPECT_THAT(ErrorsOf(with(kMaxDataCenters + 1)), HasSubstr("at most 64 are allowed"));
}

TEST(Load, WorkersUpToTheLimitAndNotOneMore) {
  auto with = [](size_t count) {
    std::string text(kSmallest);
    for (size_t i = 1; i <= count; ++i) {
      text += fmt::format("[worker.w{}]\ncommand = [\"true\"]\n", i);
    }
    return text;
  };
  EXPECT_EQ(ErrorsOf(with(kMaxWorkers)), "no errors");
  EXPECT_THAT(ErrorsOf(with(kMaxWorkers + 1)), HasSubstr("at most 64 are allowed"));
}

TEST(Load, FileUpToTheLimitAndNotOneByteMore) {
  auto of_size = [](size_t size) {
    std::string text(kSmallest);
    while (text.size() + 100 <= size) text += std::string(99, '#') + "\n";
    return text + std::string(size - text.size(), '#');
  };
  EXPECT_EQ(ErrorsOf(of_size(kMaxSiteFileBytes)), "no errors");
  EXPECT_EQ(ErrorsOf(of_size(kMaxSiteFileBytes + 1)),
            "site.toml: the file has more than 1048576 bytes\nsite.toml: 1 error\n");
}

TEST(Load, LineUpToTheLimitAndNotOneByteMore) {
  EXPECT_EQ(ErrorsOf(WithSmallest(std::string(kMaxSiteLineBytes, '#'))), "no errors");
  EXPECT_THAT(ErrorsOf(WithSmallest(std::string(kMaxSiteLineBytes + 1, '#'))),
              HasSubstr("site.toml:8:1: the line has 2049 bytes; at most 2048 are allowed"));
}

TEST(Load, DeepestNestingIsRefusedWithoutRecursingIntoIt) {
  std::string dots;
  for (size_t i = 0; i < kMaxSiteLineBytes / 2 - 2; ++i) dots += "a.";
  EXPECT_THAT(ErrorsOf("[" + dots + "a]\n" + dots + "a=1\n"), HasSubstr("nested deeper than 16"));
}

TEST(Load, PortsUpToTheHighestWhosePeerPortExists) {
  EXPECT_EQ(ErrorsOf(WithSmallest("[session]\nport = 45535\n")), "no errors");
  EXPECT_THAT(ErrorsOf(WithSmallest("[session]\nport = 45536\n")),
              HasSubstr("\"port\" must be an integer from 1 to 45535, not 45536"));
  EXPECT_THAT(ErrorsOf(WithSmallest("[session]\nport = 0\n")), HasSubstr("not 0"));
}

TEST(Load, NamesUpToTheLimitsAndNotOneLetterMore) {
  auto with_name = [](size_t letters) {
    std::string text(kSmallest);
    return text.replace(text.find("us-east"), 7, std::string(letters, 'a'));
  };
  EXPECT_EQ(ErrorsOf(with_name(63)), "no errors");
  EXPECT_THAT(ErrorsOf(with_name(64)), HasSubstr("has 64 bytes; at most 63"));
  auto with_domain = [](size_t letters) {
    std::string domain = std::string(60, 'a') + "." + std::string(60, 'b') + "." +
                         std::string(60, 'c') + "." + std::string(letters - 183, 'd');
    std::string text(kSmallest);
    return text.replace(text.find("photos.example"), 14, domain);
  };
  EXPECT_EQ(ErrorsOf(with_domain(kMaxDomainBytes)), "no errors");
  EXPECT_THAT(ErrorsOf(with_domain(kMaxDomainBytes + 1)), HasSubstr("at most 189"));
}

struct Limit {
  std::string line;  // of [app] or [[datacenter]], with N for a text or list of the size tried
  size_t max;
  bool of_list = false;
};

TEST(Load, TextsAndListsUpToTheirLimitsAndNotOneMore) {
  const std::vector<Limit> limits = {
      {"[app]\nrelease = \"N\"", kMaxReleaseBytes},
      {"[app]\nhealth = \"/N\"", kMaxHealthPathBytes - 1},
      {"[app]\nmetrics = \"/N\"", kMaxHealthPathBytes - 1},
      {"[app]\nenvironment.A = \"N\"", kMaxTextBytes},
      {"[app]\ndirectory = \"N\"", kMaxTextBytes},
      {"[app]\ncommand = [N]", kMaxCommandWords, true},
  };
  for (const Limit& limit : limits) {
    auto errors = [&](size_t size) {
      std::string filling;
      for (size_t i = 0; i < size; ++i) filling += limit.of_list ? "\"a\",\n" : "a";
      std::string line = limit.line;
      line.replace(line.rfind('N'), 1, filling);
      std::string text = WithSmallest("");
      bool has_command = line.contains("command");
      return ErrorsOf(text.replace(text.find("[app]"), has_command ? std::string::npos : 5, line));
    };
    EXPECT_EQ(errors(limit.max), "no errors") << limit.line;
    EXPECT_THAT(errors(limit.max + 1), HasSubstr("site.toml: 1 error")) << limit.line;
  }
}

TEST(Load, NumbersUpToTheirLimitsAndNotOneMore) {
  auto errors = [](std::string_view key, int64_t value) {
    std::string text(kSmallest);
    text.insert(text.find("name"), fmt::format("{} = {}\n", key, value));
    return ErrorsOf(text);
  };
  EXPECT_EQ(errors("weight", kMaxWeight), "no errors");
  EXPECT_THAT(errors("weight", kMaxWeight + 1), HasSubstr("from 0 to 1000, not 1001"));
  EXPECT_THAT(errors("weight", -1), HasSubstr("from 0 to 1000, not -1"));
  EXPECT_EQ(errors("capacity_rps", kMaxCapacityRps), "no errors");
  EXPECT_THAT(errors("capacity_rps", kMaxCapacityRps + 1), HasSubstr("site.toml: 1 error"));
  EXPECT_THAT(errors("capacity_rps", 0), HasSubstr("site.toml: 1 error"));
}

TEST(Load, VariablesOfTheApplicationUpToTheLimitAndNotOneMore) {
  auto with = [](size_t count) {
    std::string text = WithSmallest("[app.environment]\n");
    for (size_t i = 0; i < count; ++i) text += fmt::format("V{} = \"x\"\n", i);
    return text;
  };
  EXPECT_EQ(ErrorsOf(with(kMaxEnvironmentVariables)), "no errors");
  EXPECT_THAT(ErrorsOf(with(kMaxEnvironmentVariables + 1)), HasSubstr("at most 128 are allowed"));
}

TEST(Load, PublicAddressesAndTablesUpToTheirLimits) {
  auto with_addresses = [](size_t count) {
    std::string text(kSmallest);
    std::string list;
    for (size_t i = 0; i < count; ++i) list += fmt::format("\"192.0.2.{}\", ", i);
    text.insert(text.find("name"), fmt::format("public_addresses = [{}]\n", list));
    return ErrorsOf(text);
  };
  EXPECT_EQ(with_addresses(kMaxPublicAddresses), "no errors");
  EXPECT_THAT(with_addresses(kMaxPublicAddresses + 1), HasSubstr("1 to 8 entries, not 9"));
  EXPECT_THAT(with_addresses(0), HasSubstr("1 to 8 entries, not 0"));
  std::string place =
      "[[dns.place]]\nname = \"x\"\nprefix = \"::/0\"\nlatitude = 0\nlongitude = 0\n";
  EXPECT_EQ(ErrorsOf(WithSmallest(place + place + place)), "no errors");
  EXPECT_THAT(ErrorsOf(WithSmallest(place + place + place + place)),
              HasSubstr("4 [[dns.place]] are too many; at most 3 are allowed"));
}

TEST(Load, ExternalUrlComesFromTheEnvironmentAndIsNeverShownWithItsPassword) {
  SiteText source{.text = WithSmallest("[sql]\nexternal = \"$DATABASE_URL\"\n"),
                  .file = "/srv/site.toml"};
  std::expected<Site, Diagnostics> unset = Parse(source, Tiers());
  ASSERT_FALSE(unset);
  EXPECT_THAT(unset.error().Render(), HasSubstr("environment variable DATABASE_URL is not set"));

  source.environment = [](const std::string& name) -> std::optional<std::string> {
    return name == "DATABASE_URL" ? std::optional("postgres://me:secret@db:5432/x") : std::nullopt;
  };
  std::expected<Site, Diagnostics> site = Parse(source, Tiers());
  ASSERT_TRUE(site) << site.error().Render();
  EXPECT_EQ(site->externals.at("sql").url.Reveal(), "postgres://me:secret@db:5432/x");
  EXPECT_EQ(site->externals.at("sql").shown, "postgres://db:5432");

  source.environment = [](const std::string&) { return std::optional("me:secret@db"); };
  std::expected<Site, Diagnostics> no_url = Parse(source, Tiers());
  ASSERT_FALSE(no_url);
  EXPECT_THAT(no_url.error().Render(), testing::Not(HasSubstr("secret")));
}

TEST(Load, FileThatCannotBeReadSaysWhatToDo) {
  std::expected<Site, Diagnostics> missing = Load("/nonexistent/site.toml", {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().Render(),
            "/nonexistent/site.toml: there is no such file\n"
            "  name a site.toml, or make one here\n"
            "/nonexistent/site.toml: 1 error\n");
  std::expected<Site, Diagnostics> directory = Load(TestData(), {});
  ASSERT_FALSE(directory);
  EXPECT_THAT(directory.error().Render(), HasSubstr("it is a directory"));
}

TEST(Load, LabLinksAreThereUnlessTurnedOff) {
  std::string_view second =
      "[[datacenter]]\nname = \"dc2\"\naddress = \"127.120.0.1\"\nlocation = \"Oslo\"\n";
  EXPECT_THAT(ErrorsOf(WithSmallest(second)), HasSubstr("[lab] wan = false"));
  auto site = ParseText(WithSmallest(std::string(second) + "[lab]\nwan = false\n"));
  ASSERT_TRUE(site) << site.error().Render();
  EXPECT_FALSE(site->wan);
  EXPECT_TRUE(ParseText(std::string(kSmallest))->wan);
}

TEST(Load, KeysOfATierThatIsNotGivenAreUnknown) {
  std::expected<Site, Diagnostics> site =
      Parse({.text = WithSmallest("[dns]\nport = 53\nttl = \"5s\"\n[hall]\nx = 1\n"),
             .file = "/srv/site.toml"},
            {});
  ASSERT_FALSE(site);
  EXPECT_THAT(site.error().Render(), HasSubstr("site.toml:8:2: unknown key \"dns\" in site.toml"));
  EXPECT_THAT(site.error().Render(),
              HasSubstr("site.toml:11:2: unknown key \"hall\" in site.toml"));
}

}  // namespace
}  // namespace meridian::site
