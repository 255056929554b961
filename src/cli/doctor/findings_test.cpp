#include "cli/doctor/findings.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/doctor/facts.hpp"
#include "cli/doctor/healthy_facts_fixture.hpp"

namespace meridian::cli {
namespace {

using std::chrono::hours;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// What the change of healthy facts brings about: "error disk: …", in lines.
std::string Found(const std::function<void(DoctorFacts&)>& change) {
  DoctorFacts facts = HealthyFacts();
  change(facts);
  std::string text;
  for (const Finding& each : FindProblems(facts)) {
    EXPECT_FALSE(each.mend.empty()) << each.problem;
    EXPECT_FALSE(each.problem.ends_with('.')) << each.problem;
    EXPECT_FALSE(each.mend.ends_with('.')) << each.mend;
    text += std::string(SeverityName(each.severity)) + " " + std::string(each.subject) + ": " +
            each.problem + " | " + each.mend + "\n";
  }
  return text;
}

TEST(Findings, OfAHealthySiteThereAreNone) {
  EXPECT_EQ(Found([](DoctorFacts&) {}), "");
  EXPECT_THAT(Unchecked(HealthyFacts()), IsEmpty());
}

TEST(Findings, AClockThatNothingSynchronizes) {
  EXPECT_THAT(Found([](DoctorFacts& f) { f.machine.clock->synchronized = false; }),
              HasSubstr("warning clock: the clock is not synchronized"));
  EXPECT_THAT(Found([](DoctorFacts& f) { f.machine.clock->offset_seconds = -0.7; }),
              HasSubstr("warning clock: the clock is 0.7 s wrong"));
  EXPECT_EQ(Found([](DoctorFacts& f) { f.machine.clock->offset_seconds = 0.4; }), "");
  EXPECT_EQ(Found([](DoctorFacts& f) { f.machine.clock.reset(); }), "") << "not known: not wrong";
}

TEST(Findings, AClockFarFromAnotherDataCenters) {
  auto apart = [](double offset, double uncertainty) {
    return Found([=](DoctorFacts& f) {
      f.site->data_centers[1].clock_offset_seconds = offset;
      f.site->data_centers[1].clock_uncertainty_seconds = uncertainty;
    });
  };
  EXPECT_THAT(apart(1.5, 0.1),
              HasSubstr("warning clock: the clock of us-west is 1.5 s ahead of this machine's"));
  EXPECT_THAT(apart(-20, 0.1),
              HasSubstr("error clock: the clock of us-west is 20.0 s behind this machine's"));
  EXPECT_EQ(apart(1.5, 0.6), "") << "the answer took so long that it may be the same";
  EXPECT_EQ(apart(-0.9, 0), "");
}

TEST(Findings, ADiskThatIsNearlyFull) {
  auto free = [](uint64_t bytes) {
    return Found([=](DoctorFacts& f) { f.machine.state_filesystem->free_bytes = bytes; });
  };
  EXPECT_THAT(free(2 * kGibibyte), HasSubstr("error disk: the file system of /srv/photos/.meridian "
                                             "has 2.0 GiB of 100.0 GiB left (2%)"));
  EXPECT_THAT(free(9 * kGibibyte), HasSubstr("warning disk: "));
  EXPECT_EQ(free(10 * kGibibyte), "");
  EXPECT_EQ(Found([](DoctorFacts& f) {
              f.machine.state_filesystem->total_bytes = 10'000 * kGibibyte;
              f.machine.state_filesystem->free_bytes = 60 * kGibibyte;
            }),
            "")
      << "60 GiB of a large disk last long";
}

TEST(Findings, AFilesystemThatIsNearlyOutOfInodes) {
  auto free = [](uint64_t inodes) {
    return Found([=](DoctorFacts& f) { f.machine.state_filesystem->free_inodes = inodes; });
  };
  EXPECT_THAT(free(20), HasSubstr("error disk: the file system of /srv/photos/.meridian has 20 of "
                                  "1000 inodes left (2%)"));
  EXPECT_THAT(free(99), HasSubstr("warning disk"));
  EXPECT_EQ(free(100), "");
  EXPECT_EQ(Found([](DoctorFacts& f) {
              f.machine.state_filesystem->total_inodes.reset();
              f.machine.state_filesystem->free_inodes.reset();
            }),
            "")
      << "it makes inodes as needed";
}

TEST(Findings, ADescriptorLimitBelowTheConfiguredConnections) {
  auto limit = [](uint64_t descriptors) {
    return Found([=](DoctorFacts& f) { f.machine.descriptor_limit = descriptors; });
  };
  EXPECT_THAT(limit(1024), HasSubstr("error descriptors: the limit of 1024 descriptors allows the "
                                     "edge tier 444 connections of 10000 | LimitNOFILE=65536"));
  EXPECT_THAT(limit(16'384), HasSubstr("warning descriptors: "));
  EXPECT_EQ(limit(65'536), "");
}

TEST(Findings, TheLimitThatIsAdvisedIsEnough) {
  auto facts = [](uint64_t limit) {
    return Found([=](DoctorFacts& f) {
      f.machine.descriptor_limit = limit;
      f.site->needs.connections[0].connections = 100'000;
    });
  };
  EXPECT_THAT(facts(65'536), HasSubstr("LimitNOFILE=200136 in the systemd unit"));
  EXPECT_EQ(facts(200'136), "");
}

TEST(Findings, KernelSettingsThatHurt) {
  EXPECT_THAT(Found([](DoctorFacts& f) { f.machine.kernel.somaxconn = 128; }),
              HasSubstr("warning kernel: net.core.somaxconn is 128"));
  EXPECT_THAT(Found([](DoctorFacts& f) { f.machine.kernel.overcommit = 2; }),
              HasSubstr("warning kernel: vm.overcommit_memory is 2"));
  EXPECT_EQ(Found([](DoctorFacts& f) { f.machine.kernel.overcommit = 1; }), "");
  EXPECT_EQ(Found([](DoctorFacts& f) { f.machine.kernel.syn_backlog = 128; }), "")
      << "SYN cookies are on";
  EXPECT_THAT(Found([](DoctorFacts& f) {
                f.machine.kernel.syn_backlog = 128;
                f.machine.kernel.syn_cookies = 0;
              }),
              HasSubstr("warning kernel: net.ipv4.tcp_max_syn_backlog is 128"));
  EXPECT_EQ(Found([](DoctorFacts& f) { f.machine.kernel = {}; }), "") << "not known: not wrong";
}

TEST(Findings, PortsOfOutgoingConnections) {
  auto range = [](uint16_t first, uint16_t last) {
    return Found([=](DoctorFacts& f) { f.machine.kernel.local_ports = std::pair(first, last); });
  };
  EXPECT_THAT(range(40'000, 40'999), HasSubstr("ip_local_port_range has 1000 ports"));
  EXPECT_THAT(range(1024, 65'535),
              HasSubstr("warning kernel: net.ipv4.ip_local_port_range is 1024 to 65535, which has "
                        "5300, 8080, 9000, 28000 of this site"));
  EXPECT_THAT(range(1024, 65'535),
              HasSubstr("sysctl -w net.ipv4.ip_local_reserved_ports=5300,8080,9000,28000"));
  EXPECT_EQ(Found([](DoctorFacts& f) {
              f.machine.kernel.local_ports = std::pair<uint16_t, uint16_t>{1024, 65'535};
              f.machine.kernel.reserved_ports = {{5000, 9000}, {28000, 28000}};
            }),
            "");
}

TEST(Findings, APortInUseByAnother) {
  EXPECT_EQ(Found([](DoctorFacts& f) {
              f.site->needs.ports_in_use = {
                  {"127.1.0.1:8080, for the edge tier, is in use by "
                   "process 12 (nginx)",
                   "End that"}};
            }),
            "error port: 127.1.0.1:8080, for the edge tier, is in use by process 12 (nginx) | End "
            "that\n");
}

TEST(Findings, CertificatesThatEndSoon) {
  auto left = [](Duration time) {
    return Found([=](DoctorFacts& f) { f.machine.certificates[0].not_after = kNow + time; });
  };
  EXPECT_THAT(left(hours{24} * 10),
              HasSubstr("warning certificate: the certificate /srv/photos/.meridian/ca/web.pem "
                        "(photos.example) ends in 10 days | run meridian ca"));
  EXPECT_THAT(left(hours{25}), HasSubstr("error certificate: "));
  EXPECT_THAT(left(hours{25}), HasSubstr("ends in 1 day |"));
  EXPECT_THAT(left(-hours{49}), HasSubstr("error certificate: "));
  EXPECT_THAT(left(-hours{49}), HasSubstr("ended 2 days ago"));
  EXPECT_EQ(left(hours{24} * 22), "");
  EXPECT_THAT(Found([](DoctorFacts& f) {
                f.machine.certificates[0] = {.path = "/etc/tls/a.pem", .not_after = kNow};
              }),
              HasSubstr("renew it with whoever issued it"));
  EXPECT_THAT(Found([](DoctorFacts& f) {
                f.machine.certificates[0].is_authority = true;
                f.machine.certificates[0].not_after = kNow;
              }),
              HasSubstr("make a new authority with meridian ca"));
  EXPECT_THAT(Found([](DoctorFacts& f) {
                f.machine.unreadable_certificates = {"/etc/tls/a.pem has no certificate"};
              }),
              HasSubstr("error certificate: /etc/tls/a.pem has no certificate"));
}

TEST(Findings, AStateDirectoryThatOthersCanRead) {
  EXPECT_THAT(Found([](DoctorFacts& f) { f.machine.modes[0].mode = 0755; }),
              HasSubstr("error permissions: /srv/photos/.meridian has mode 0755: other users can "
                        "reach the site's token, keys and sessions | chmod 0700 "));
  EXPECT_THAT(Found([](DoctorFacts& f) {
                f.machine.modes.push_back({.path = "/s/admin.token", .mode = 0640, .owner = 7});
              }),
              HasSubstr("error permissions: /s/admin.token has mode 0640: other users can read"));
  EXPECT_THAT(Found([](DoctorFacts& f) { f.machine.user = 8; }),
              HasSubstr("error permissions: /srv/photos/.meridian belongs to user 7"));
  EXPECT_EQ(Found([](DoctorFacts& f) { f.machine.user = 0; }), "") << "root reads every file";
}

TEST(Findings, MemoryTooSmallForTheCaches) {
  auto caches = [](uint64_t bytes) {
    return Found([=](DoctorFacts& f) { f.site->needs.cache_bytes = bytes; });
  };
  EXPECT_EQ(caches(4 * kGibibyte), "");
  EXPECT_THAT(caches(6 * kGibibyte),
              HasSubstr("warning memory: the caches of site.toml may take 6.0 GiB, and this "
                        "machine has 8.0 GiB of memory"));
  EXPECT_THAT(caches(8 * kGibibyte), HasSubstr("error memory: "));
}

TEST(Findings, AControlGroupThatIsTooSmall) {
  auto group = [](uint64_t limit) {
    return Found([=](DoctorFacts& f) { f.machine.memory_limit_bytes = limit; });
  };
  EXPECT_THAT(group(kGibibyte / 4),
              HasSubstr("error memory: the caches of site.toml may take 256 MiB, and the control "
                        "group allows 256 MiB of memory"));
  EXPECT_EQ(group(4 * kGibibyte), "");
  EXPECT_EQ(group(uint64_t{1} << 60), "") << "it is higher than the memory: no limit";
  auto unbounded = [](uint64_t limit) {
    return Found([=](DoctorFacts& f) {
      f.machine.memory_limit_bytes = limit;
      f.site->needs.unbounded_session = true;
    });
  };
  EXPECT_THAT(unbounded(4 * kGibibyte), HasSubstr("warning memory: [session] has no maxmemory"));
  EXPECT_EQ(unbounded(8 * kGibibyte), "");
  auto tasks = [](uint64_t limit) {
    return Found([=](DoctorFacts& f) { f.machine.task_limit = limit; });
  };
  EXPECT_THAT(tasks(30), HasSubstr("error control group: the control group allows 30 processes"));
  EXPECT_THAT(tasks(60), HasSubstr("warning control group: "));
  EXPECT_EQ(tasks(80), "");
}

TEST(Findings, VersionsThatDiffer) {
  EXPECT_THAT(
      Found([](DoctorFacts& f) { f.site->data_centers[1].version = "0.2.0"; }),
      HasSubstr("warning version: different versions of Meridian: 0.1.0 at us-east; 0.2.0 at "
                "us-west; this program is 0.1.0"));
  EXPECT_THAT(Found([](DoctorFacts& f) {
                for (DataCenterFacts& dc : f.site->data_centers) dc.version = "";
              }),
              HasSubstr("an older version at us-east, us-west; this program is 0.1.0"));
}

TEST(Findings, ADataCenterThatDoesNotAnswerWhileAnotherDoes) {
  auto silent = [](bool both) {
    return Found([=](DoctorFacts& f) {
      f.site->data_centers[1] = {.name = "us-west", .problem = "connection refused"};
      if (both) f.site->data_centers[0] = {.name = "us-east", .problem = "connection refused"};
    });
  };
  EXPECT_THAT(silent(false),
              HasSubstr("error data center: us-west does not answer: connection refused | "));
  EXPECT_EQ(silent(true), "") << "the site is down";
}

TEST(Findings, TheProblemsOfARunningDataCenter) {
  EXPECT_THAT(Found([](DoctorFacts& f) {
                f.site->data_centers[0].problem = "drained by an operator";
                f.site->data_centers[0].troubles = {"the edge tier is hung"};
              }),
              testing::AllOf(HasSubstr("error data center: us-east: drained by an operator"),
                             HasSubstr("error data center: us-east: the edge tier is hung")));
}

TEST(Findings, AProblemOfSiteTomlIsSplitIntoReasonAndMend) {
  EXPECT_EQ(Found([](DoctorFacts& f) {
              f.site->host_problems = {
                  "there is no program node on the PATH. Install it, or "
                  "correct command of [app]"};
            }),
            "error site.toml: there is no program node on the PATH | Install it, or correct "
            "command of [app]\n");
}

TEST(Findings, ErrorsComeFirst) {
  std::string found = Found([](DoctorFacts& f) {
    f.machine.clock->synchronized = false;
    f.machine.modes[0].mode = 0755;
  });
  EXPECT_LT(found.find("error permissions"), found.find("warning clock"));
}

TEST(Unchecked, NamesWhatCouldNotBeRead) {
  EXPECT_THAT(Unchecked({.machine = {.state_directory = "/nothing"}}), SizeIs(6));
  DoctorFacts down = HealthyFacts();
  for (DataCenterFacts& dc : down.site->data_centers) dc.answered = false;
  EXPECT_THAT(Unchecked(down), testing::ElementsAre(HasSubstr("the running site")));
  DoctorFacts half = HealthyFacts();
  half.site->data_centers[1].answered = false;
  EXPECT_THAT(Unchecked(half), testing::ElementsAre("the clock and version of us-west"));
  DoctorFacts elsewhere = HealthyFacts();
  elsewhere.site->hosted.clear();
  EXPECT_THAT(Unchecked(elsewhere), testing::ElementsAre(HasSubstr("with --dc")));
  DoctorFacts machine = HealthyFacts();
  machine.site.reset();
  EXPECT_THAT(Unchecked(machine), testing::ElementsAre(HasSubstr("no site.toml was found")));
}

}  // namespace
}  // namespace meridian::cli
