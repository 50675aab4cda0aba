const reply = await fetch("visits");
const { visits } = await reply.json();
document.getElementById("visits").textContent = visits;
