(e,t,{ad_storage:a})=>{(e.uetq??=[]).push("consent",t,{ad_storage:a})}
