// SPDX-License-Identifier: Apache-2.0
//
// The dashboard in a real browser, of a real daemon with real traffic: whether what it shows is
// so, and whether everybody can read and use it.
#include <signal.h>

#include <cmath>
#include <filesystem>
#include <regex>
#include <thread>

#include "browser.h"
#include "fixture.h"
#include "page_checks.h"

namespace evenkeel::testing {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr char kPage[] = "http://127.0.0.1:9469/";
constexpr const char* kPaths[] = {"/", "/app.js", "/api/overview", "/api/status", "/api/history"};

class DashboardTest : public LabTest {
 protected:
  // The lab's daemon, with the flags.
  void Restart(const Argv& flags) {
    lab().SignalDaemon(SIGTERM);
    ASSERT_TRUE(lab().WaitDaemonGone(milliseconds(10000)));
    const CommandResult started = lab().StartDaemon(flags);
    ASSERT_TRUE(started.ok()) << started;
  }
  void OpenDashboard() {
    MakeLab({.config = State{}.ToYaml()});
    Restart({"--web-listen", "127.0.0.1:9469", "--dashboard"});
    std::filesystem::create_directory(lab().file("browser"));
    const std::string balancer = lab().facts().at("namespaces").at("balancer");
    browser_ = std::make_unique<Browser>("/run/netns/" + balancer, lab().file("browser"));
    page().Open(kPage);
    ASSERT_TRUE(Eventually(milliseconds(10000), [&] { return page().Text("#link") == "✓ live"; }));
  }
  WebDriver& page() { return browser_->page(); }
  void View(const std::string& name) {
    page().Run("location.hash = arguments[0]", json::array({"#/" + name}));
  }
  // "200", of a request inside the balancer's namespace.
  std::string HttpStatus(const std::string& path, const Argv& options = {}) {
    Argv argv = {"curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "5"};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.push_back("http://127.0.0.1:9469" + path);
    return lab().RunIn("balancer", argv).out;
  }
  // By backend: {"Expected": 25.0, "Observed": ..., "Flows/s": ...}; what is no number is left out.
  std::map<std::string, std::map<std::string, double>> Rows(const std::string& pool) {
    const json rows = page().Run(
        "return [...document.querySelectorAll(`[data-pool=\"${arguments[0]}\"] tbody tr`)]"
        ".map(row => [...row.children].map(cell => [cell.dataset.label, cell.innerText]))",
        json::array({pool}));
    std::map<std::string, std::map<std::string, double>> parsed;
    for (const json& row : rows) {
      const std::string first = row.at(0).at(1);
      auto& cells = parsed[first.substr(0, first.find(' '))];
      for (const json& cell : row) {
        const std::string label = cell.at(0), text = cell.at(1);
        if (!text.empty() && std::isdigit(static_cast<unsigned char>(text[0]))) {
          cells[label] = std::stod(text);
        }
      }
    }
    return parsed;
  }
  // Only read, only by this host's names, and not beside the metrics that scrapers get at.
  void CheckRequests() {
    for (const char* path : kPaths) {
      EXPECT_EQ(HttpStatus(path), "200") << path;
      EXPECT_EQ(HttpStatus(path, {"-X", "POST", "-d", "{}"}), "405") << path;
      EXPECT_EQ(HttpStatus(path, {"-H", "Host: evil.example"}), "403") << path;
    }
    EXPECT_EQ(HttpStatus("/api/overview?limit=0"), "400");
    const std::string api = lab().fact("socket");
    const std::string socket =
        api.substr(0, api.size() - std::string(".sock").size()) + "-web.sock";
    EXPECT_EQ(HttpStatus("/", {"--unix-socket", socket}), "404");
    EXPECT_EQ(HttpStatus("/metrics", {"--unix-socket", socket}), "200");
  }
  // What the page shows of a pool that does not agree with the daemon's status; empty: all does.
  std::string Disagreement(const std::string& pool) {
    const json status = lab().Status();
    auto rows = Rows(pool);
    for (const json& entry : status.at("pools")) {
      if (entry.at("name") != pool) continue;
      if (rows.size() != entry.at("backends").size()) return "another number of rows";
      for (const json& server : entry.at("distribution").at("servers")) {
        const std::string name = server.at("name");
        const double share = FindBackend(status, pool, name).at("share");
        const auto near = [&](const char* label, double is, double by) {
          return rows[name].contains(label) && std::abs(rows[name][label] - is) <= by;
        };
        if (!near("Expected", 100 * share, 0.01)) return name + ": expected";
        // It is of up to two seconds ago.
        if (!near("Observed", 100 * server.at("flows").get<double>(), 1))
          return name + ": observed";
        if (!near("Skew", server.at("ratio"), 0.05)) return name + ": skew";
      }
    }
    return "";
  }
  // A plan's file is shown whole.
  void CheckPlan() {
    State more;
    more.backends = 3;
    WriteFile(lab().file("more.yaml"), more.ToYaml());
    const CommandResult plan = lab().Cli({"plan", "-f", lab().file("more.yaml"), "-o", "json"});
    WriteFile(lab().file("plan.json"), plan.out);
    page().Type("#plan-file", lab().file("plan.json"));
    ASSERT_TRUE(Shows("#plan", "Pool four"));
    EXPECT_TRUE(Shows("#plan", "plan.json"));
    EXPECT_TRUE(Shows("#plan", "33.33 %"));
    const json document = json::parse(plan.out);
    EXPECT_FALSE(document.at("violations").empty());
    for (const json& violation : document.at("violations")) {
      for (const char* part : {"rule", "observed", "limit", "fix"}) {
        EXPECT_TRUE(Shows("#plan", violation.at(part)));
      }
    }
  }
  void CheckSeen(const std::string& view) {
    CheckNames(page(), view);
    CheckColours(page(), view);
    CheckNarrow(page(), view);
  }
  uint64_t CountedFlows(const std::string& pool) {
    uint64_t flows = 0;
    const json status = lab().Status();
    for (const json& entry : status.at("pools")) {
      if (entry.at("name") != pool) continue;
      for (const json& b : entry.at("backends")) {
        flows += b.at("counter").at("new_flows").get<uint64_t>();
      }
    }
    return flows;
  }
  // New flows of a pool in a second, over five: {as shown, as counted}.
  std::pair<double, double> FlowRates(const std::string& pool) {
    constexpr int kLooks = 5;
    const auto start = std::chrono::steady_clock::now();
    const uint64_t before = CountedFlows(pool);
    double shown = 0;
    for (int look = 0; look < kLooks; ++look) {
      std::this_thread::sleep_for(std::chrono::seconds(1));
      for (auto& [name, cells] : Rows(pool)) shown += cells["Flows/s"] / kLooks;
    }
    const uint64_t after = CountedFlows(pool);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    return {shown, static_cast<double>(after - before) / took.count()};
  }
  std::string Announced() {
    return page().Run("return document.getElementById('announce').textContent");
  }
  // By text of the first element that `css` finds.
  ::testing::AssertionResult Shows(const std::string& css, const std::string& part,
                                   milliseconds timeout = milliseconds(5000)) {
    if (Eventually(timeout, [&] { return page().Text(css).find(part) != std::string::npos; })) {
      return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure()
           << "no \"" << part << "\" in " << css << ": " << page().Text(css) << "\nof\n"
           << page().Text("body");
  }

 private:
  std::unique_ptr<Browser> browser_;
};

TEST_F(DashboardTest, ShowsSharesAsTheyAreARefusalAndAnOutage) {
  ASSERT_NO_FATAL_FAILURE(OpenDashboard());
  Load load(lab(), {.rate = 300});
  CheckRequests();
  ASSERT_TRUE(Shows("[data-pool=four] .verdict", "Not the balancer", milliseconds(60000)));
  std::string disagreement;
  EXPECT_TRUE(Eventually(milliseconds(10000), [&] {
    return (disagreement = Disagreement("four")).empty();
  })) << disagreement;
  std::pair<double, double> rates;
  EXPECT_TRUE(Eventually(milliseconds(30000),
                         [&] {
                           rates = FlowRates("four");
                           return rates.second > 0 &&
                                  std::abs(rates.first - rates.second) < 0.25 * rates.second;
                         }))
      << rates.first << " flows/s are shown, and counted are " << rates.second;
  EXPECT_TRUE(Shows("[data-pool=four] .panel", "observed", milliseconds(15000))) << "the chart";

  // What somebody typed is text, whatever it looks like.
  const std::string reason = "<img src=x onerror=\"document.title='owned'\"><b>one</b>";
  State one;
  one.backends = 1;
  WriteFile(lab().file("one.yaml"), one.ToYaml());
  const CommandResult refused =
      lab().Cli({"apply", "-f", lab().file("one.yaml"), "--yes", "--reason", reason});
  ASSERT_EQ(refused.exit_code, 3) << refused;
  View("history");
  const std::string newest = "#history tbody";
  EXPECT_TRUE(Shows(newest, "refused"));
  EXPECT_TRUE(Shows(newest, "LB001"));
  EXPECT_TRUE(Shows(newest, reason));
  EXPECT_EQ(page().Run("return document.querySelectorAll('img').length"), 1) << "the page's own";
  EXPECT_TRUE(page().Run("return document.title.startsWith('Evenkeel ')").get<bool>());
  page().Run("document.querySelector('#history .fold').click()");
  EXPECT_TRUE(Shows(newest + " .detail", "100.00 %"));

  const CommandResult forced = ForceOutage();
  ASSERT_EQ(forced.exit_code, 0) << forced;
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(Shows(".alarm.page .undo code", "evenkeel rollback ", milliseconds(15000)));
  const auto took = std::chrono::steady_clock::now() - start;
  RecordProperty("alarm_ms",
                 static_cast<int>(std::chrono::duration_cast<milliseconds>(took).count()));
  EXPECT_EQ(page().Text(".alarm.page .undo code"), lab().Status().at("alarms").at(0).at("undo"));
  EXPECT_TRUE(Shows(newest, "b1 25.0 % to 100.0 %")) << "the effect on the shares";
  View("pools");
  for (const char* part : {"Page", "Pool four, b1", "Weights and servers as configured",
                           "drill: one server", "Changed just before"}) {
    EXPECT_TRUE(Shows(".alarm.page", part));
  }
  EXPECT_TRUE(std::regex_search(Announced(), std::regex("^[0-9]+ alarms?: page, ")))
      << "to screen readers: " << Announced();
  EXPECT_EQ(page().TakeLog(), std::vector<std::string>{}) << "nothing on the console";

  // Without a daemon what is shown is old, and says so.
  lab().SignalDaemon(SIGTERM);
  EXPECT_TRUE(Shows("#stale", "has not answered since", milliseconds(10000)));
  EXPECT_TRUE(Shows(".alarm.page", "Page")) << "it stays";
  load.Stop();
}

TEST_F(DashboardTest, IsUsableByEverybody) {
  ASSERT_NO_FATAL_FAILURE(OpenDashboard());
  ASSERT_EQ(ForceOutage().exit_code, 0);
  ASSERT_TRUE(Shows(".alarm.page", "Page", milliseconds(20000)));

  // By the keyboard alone.
  CheckTabOrder(page());
  FocusByTab(page(), "#nav-history");
  page().Press(kEnter);
  ASSERT_TRUE(Shows("#history tbody", "drill: one server"));
  FocusByTab(page(), "#history .fold");
  page().Press(kEnter);
  ASSERT_TRUE(Shows("#history .detail table", "b1"));
  CheckTabOrder(page());
  CheckSeen("history");

  FocusByTab(page(), "#nav-plan");
  page().Press(kEnter);
  ASSERT_NO_FATAL_FAILURE(CheckPlan());
  CheckTabOrder(page());
  CheckSeen("plan");
  WriteFile(lab().file("bad.json"), "{\"schema\": \"evenkeel.status/v1\"}");
  page().Type("#plan-file", lab().file("bad.json"));
  EXPECT_TRUE(Shows("#plan", "which is no plan"));

  FocusByTab(page(), "#nav-pools");
  page().Press(kEnter);
  ASSERT_TRUE(Shows("#pools .panel", "expected"));
  CheckSeen("pools");
  FocusByTab(page(), "#pause");
  page().Press(kEnter);
  EXPECT_TRUE(Shows("#link", "paused"));
  EXPECT_EQ(page().TakeLog(), std::vector<std::string>{}) << "nothing on the console";
}

TEST_F(DashboardTest, IsOffUnlessAskedFor) {
  MakeLab({.config = State{}.ToYaml()});
  ASSERT_NO_FATAL_FAILURE(Restart({"--web-listen", "127.0.0.1:9469"}));
  EXPECT_EQ(HttpStatus("/metrics"), "200");
  for (const char* path : kPaths) EXPECT_EQ(HttpStatus(path), "404") << path;
}

}  // namespace
}  // namespace evenkeel::testing
