// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "control/cli/cat.h"
#include "control/cli/command.h"
#include "control/cli/text.h"
#include "control/cli/version.h"

namespace evenkeel::cli {
namespace {

constexpr char kAbout[] =
    "Evenkeel load balancer: check, plan and apply its configuration, see what it does.";

void AddSocket(CLI::App& app, std::string& socket) {
  app.add_option("--socket", socket,
                 "The daemon's socket; default: $EVENKEEL_SOCKET, else the usual")
      ->type_name(kFileType);
}

void DeclareRoot(CLI::App& root, Session& session, std::string& format) {
  root.name("evenkeel");
  root.description(kAbout);
  root.require_subcommand(1);
  root.set_help_flag("-h,--help", "Print this help");
  root.set_version_flag("-V,--version", Cat("evenkeel ", kVersion), "Print the version");
  root.footer("evenkeel help COMMAND explains a command; more is in evenkeel(1).");
  AddChoice(root, "-o,--output", format, "text|json|yaml|sarif|junit|github",
            "Output format, default text");
  AddSocket(root, session.socket);
}

}  // namespace

const std::vector<CommandSpec>& Commands() {
  static const std::vector<CommandSpec> commands = {
      {"check", "Judge configuration files, with or without a daemon", true,
       "text|json|sarif|junit|github",
       "Where a daemon runs, as changes of what it runs; elsewhere, or with --offline,\n"
       "each on its own. The output says which.\n\n"
       "Exit codes: 0 passes, 1 not a valid configuration, 3 refused by a rule,\n"
       "4 warnings with --fail-on warn. The worst file decides.\n\n"
       "  evenkeel check web.yaml\n"
       "  evenkeel check web.yaml --against deployed.yaml --fail-on warn\n"
       "  evenkeel check --offline pools/*.yaml -o sarif > evenkeel.sarif",
       MakeCheck},
      {"plan", "Show what a configuration would change, without changing it", true, "text|json",
       "Exit codes: 0 would be accepted, 1 error, 2 there are changes (with\n"
       "--detailed-exitcode), 3 refused by a rule, 4 warnings with --fail-on warn,\n"
       "5 the given etag is stale.\n\n"
       "  evenkeel plan -f web.yaml\n"
       "  evenkeel plan -f web.yaml --pool web --detailed-exitcode\n"
       "  evenkeel plan -f web.yaml --out web.plan",
       MakePlan},
      {"apply", "Plan a configuration, or take a saved plan, ask, and put it into force", true,
       "text|json",
       "Asks before it changes anything. Where standard input is no terminal (scripts,\n"
       "CI) it cannot ask, and changes nothing unless --yes is given.\n\n"
       "Exit codes: 0 applied or nothing to change, 1 error or not confirmed,\n"
       "2 changes were made (with --detailed-exitcode), 3 refused by a rule,\n"
       "4 warnings with --fail-on warn, 5 the state changed meanwhile, 6 rolled back.\n\n"
       "With --confirm-within the change must be confirmed (evenkeel confirm), or the\n"
       "daemon rolls it back. With --auto-confirm the daemon watches it for that time\n"
       "(default 60s) and confirms it itself if nothing speaks against it; the command\n"
       "waits for that.\n\n"
       "  evenkeel apply -f web.yaml --reason 'add web-4' --ticket OPS-1234\n"
       "  evenkeel apply -f web.yaml --reason 'add web-4' --confirm-within 2m\n"
       "  evenkeel apply -f web.yaml --reason 'deploy 77' --yes -o json\n"
       "  evenkeel apply web.plan --reason 'as reviewed in OPS-1234'",
       MakeApply},
      {"confirm", "Keep the change that awaits its confirmation", true, "text|json",
       "Exit codes: 0 confirmed, 1 error, 5 nothing awaits it, 6 it was rolled back.\n\n"
       "  evenkeel confirm\n"
       "  evenkeel confirm 42 --reason 'graphs are flat'",
       MakeConfirm},
      {"cancel", "Take the change back that awaits its confirmation", true, "text|json",
       "Exit codes: 0 rolled back, 1 error, 5 nothing awaits a confirmation, 6 it was\n"
       "rolled back already.\n\n"
       "  evenkeel cancel",
       MakeCancel},
      {"rollback", "Bring an earlier state back, at once", true, "text|json",
       "Without a revision: the last confirmed one before the one in force. It asks\n"
       "nothing, and no rule about changes holds it up; only a state that reaches no\n"
       "server at all is refused. Connections stay where they are, unless\n"
       "--purge-pinned is given.\n\n"
       "Exit codes: 0 rolled back or that state is in force, 1 error, 3 refused by a\n"
       "rule, 5 the state changed meanwhile.\n\n"
       "  evenkeel rollback\n"
       "  evenkeel rollback 41 --reason 'b2 gets everything'",
       MakeRollback},
      {"drain", "Send a backend no new connections; those that it has stay", true, "text|json",
       "Plans, asks and applies, as apply does, with its exit codes.\n\n"
       "With --wait it then shows what is still there, until nothing leads to the\n"
       "server any more: connections that send nothing count until the daemon's\n"
       "flow_idle_timeout (15 minutes). --quiet 60s ends it also after a minute without\n"
       "a packet, and says what may still be open. Exit code 0: safe to stop, 7: not\n"
       "known to be. The drain stays in force however the wait ends.\n\n"
       "  evenkeel drain web-3 --reason 'kernel update'\n"
       "  evenkeel drain web-3 --yes --wait --quiet 60s --timeout 30m\n"
       "  evenkeel drain web-3 --emergency",
       MakeDrain},
      {"undrain", "Send a drained backend new connections again", true, "text|json",
       "  evenkeel undrain web-3", MakeUndrain},
      {"enable", "Enable a backend", true, "text|json", "  evenkeel enable web-3 --pool web",
       MakeEnable},
      {"disable", "Disable a backend: it gets nothing, and what it has breaks", true, "text|json",
       "  evenkeel disable web-3 --pool web", MakeDisable},
      {"weight", "Set a backend's weight", true, "text|json",
       "  evenkeel weight web-3 50 --reason 'half the cores'", MakeWeight},
      {"withdraw", "Keep VIPs from the routers, for maintenance", true, "text|json",
       "Takes the routes away that evenkeeld offers to the routing daemon, so that the\n"
       "routers send the traffic elsewhere. This host goes on to forward what reaches\n"
       "it. Survives a restart, until announce. No rule is asked.\n\n"
       "  evenkeel withdraw --all --reason 'kernel update'\n"
       "  evenkeel withdraw web 192.0.2.11 --reason 'OPS-1234'",
       MakeWithdraw},
      {"announce", "Give withdrawn VIPs back to the routers", true, "text|json",
       "A VIP that this host cannot serve gets its route when it can.\n\n"
       "  evenkeel announce --all\n"
       "  evenkeel announce web",
       MakeAnnounce},
      {"ack", "Say that somebody is at an alarm", true, "text|json",
       "It stays until the traffic is right again; it is only not escalated any more.\n\n"
       "  evenkeel status            # lists the alarms, with what to do\n"
       "  evenkeel ack flows/web/10.0.1.11\n"
       "  evenkeel ack --all",
       MakeAck},
      {"top", "Watch shares, rates, health and alarms on one screen", true, "text|json",
       "Keys: q quit, p pause, s sort, / filter, arrows scroll, ? help. Where output is no\n"
       "terminal, one screen is printed after the other.\n\n"
       "  evenkeel top\n"
       "  evenkeel top --sort skew --filter web\n"
       "  evenkeel top -n 1 | mail -s balancer oncall",
       MakeTop},
      {"get", "Print the state in force, or a past revision, as a configuration file", true,
       "text|json|yaml",
       "  evenkeel get > web.yaml     # edit, then: evenkeel apply -f web.yaml ...\n"
       "  evenkeel get -r 41 -o yaml",
       MakeGet},
      {"diff", "Compare two states, field by field", true, "text|json",
       "With one revision: from it to the state in force. With --file: from the state\n"
       "in force (or the one revision given) to the file.\n\n"
       "Exit codes: 0, 1 error, 2 they differ (with --detailed-exitcode).\n\n"
       "  evenkeel diff -f web.yaml\n"
       "  evenkeel diff 41 42",
       MakeDiff},
      {"status", "Show what the load balancer does now", true, "text|json",
       "  evenkeel status\n"
       "  evenkeel status --watch",
       MakeStatus},
      {"history", "List revisions and refusals, newest first", true, "text|json",
       "  evenkeel history -n 10\n"
       "  evenkeel history --health --pool web",
       MakeHistory},
      {"watch", "Print events as they happen", true, "text|json",
       "In JSON one object a line. Ends with Ctrl-C, or after --count events.", MakeWatch},
      {"explain", "Show what becomes of a packet, decision by decision", true, "text|json",
       "Looks each decision up in the kernel's maps, runs the packet through the loaded\n"
       "program, and says so loudly if the two differ. Changes and counts nothing.\n"
       "SRC is ADDRESS:PORT of a client, VIP is ADDRESS:PORT/tcp|udp|quic or the name of\n"
       "a VIP, with :PORT where that has every port. IPv6: [2001:db8::1]:443/tcp.\n\n"
       "With --pcap: for the packets of a file (pcap or pcapng; - is standard input),\n"
       "shares per backend against those of the table. Each packet stands for its flow:\n"
       "neither its size nor its TTL is looked at.\n\n"
       "Exit codes: 0, also for a packet that is dropped, 1 error, or the program does\n"
       "something else than the maps say.\n\n"
       "  evenkeel explain 198.51.100.7:4711 192.0.2.10:443/tcp\n"
       "  evenkeel explain --ack '[2001:db8::7]:4711' web\n"
       "  evenkeel explain 198.51.100.7:4711 192.0.2.10:443/quic --quic-id 2003\n"
       "  tcpdump -c 10000 -w - -i eth0 | evenkeel explain --pcap -",
       MakeExplain},
      {"capture", "Write packets to a file, before and after, with what became of them", true,
       "text|json",
       "A pcapng file for tcpdump, tshark and Wireshark: each frame as it came in and as it\n"
       "left, with verdict, VIP, backend, slot and generation as its comment. While it runs,\n"
       "another build of the balancer forwards, at some cost for each packet; without a\n"
       "capture there is none. One at a time. Packets hold what clients send: the file is\n"
       "for its owner alone, and the daemon logs who asked.\n\n"
       "Exit codes: 0 ended by its limits or Ctrl-C, 1 error.\n\n"
       "  evenkeel capture --vip web -c 100 -w web.pcapng\n"
       "  evenkeel capture --drops --for 5m -w drops.pcapng\n"
       "  evenkeel capture --pool web --backend web-3 -w - | tshark -r - -T fields -e "
       "frame.comment",
       MakeCapture},
      {"doctor", "Look at the host and the daemon, and say what to mend", true, "text|json",
       "Kernel, clock, interfaces, backends, the history, the state in the kernel. Each\n"
       "server is asked once through its VIPs, for some 3 s; else it changes nothing.\n"
       "It also works where no daemon answers.\n\n"
       "Exit codes: 0 nothing fails, 1 something does, 4 warnings with --fail-on warn.\n\n"
       "  evenkeel doctor\n"
       "  evenkeel doctor -o json --fail-on warn",
       MakeDoctor},
      {"rules", "List the rules, or explain one", false, "text|json",
       "  evenkeel rules\n"
       "  evenkeel rules LB001",
       MakeRules},
      {"completion", "Print a shell's completion script", false, "",
       "  source <(evenkeel completion bash)\n"
       "  evenkeel completion zsh > \"${fpath[1]}/_evenkeel\"\n"
       "  evenkeel completion fish > ~/.config/fish/completions/evenkeel.fish",
       MakeCompletion},
      {"help", "Explain a command", false, "", "", MakeHelp},
  };
  return commands;
}

CLI::Option* AddChoice(CLI::App& app, const std::string& name, std::string& value,
                       std::string_view values, const std::string& description) {
  const std::vector<std::string_view> parts = Split(values, '|');
  const std::vector<std::string> choices(parts.begin(), parts.end());
  const auto is_choice = [choices, shown = std::string(values)](const std::string& given) {
    if (std::find(choices.begin(), choices.end(), given) != choices.end()) return std::string();
    return Cat("\"", given, "\" is none of ", shown);
  };
  return app.add_option(name, value, description)
      ->type_name(std::string(values))
      ->check(CLI::Validator(is_choice, ""));
}

std::vector<std::unique_ptr<Declared>> DeclareAll(CLI::App& root, Session& session,
                                                  std::string& format) {
  DeclareRoot(root, session, format);
  std::vector<std::unique_ptr<Declared>> all;
  for (const CommandSpec& spec : Commands()) {
    auto declared = std::make_unique<Declared>();
    declared->spec = &spec;
    declared->command = spec.make();
    CLI::App* app = root.add_subcommand(std::string(spec.name), std::string(spec.summary));
    app->set_help_flag("-h,--help", "Print this help");
    app->footer(std::string(spec.details));
    declared->app = app;
    declared->command->Declare(*app);
    if (!spec.formats.empty()) {
      AddChoice(*app, "-o,--output", declared->format, spec.formats, "Output format, default text");
    }
    if (spec.speaks_to_daemon) AddSocket(*app, session.socket);
    all.push_back(std::move(declared));
  }
  return all;
}

CommandTree::CommandTree() : session_(env_), declared_(DeclareAll(root_, session_, format_)) {}

CommandTree::~CommandTree() = default;

}  // namespace evenkeel::cli
